/** Images from files: the file is read and must be one, its pixels are nobody's business here. */
import { existsSync, readFileSync } from "node:fs";
import type { NativeImage } from "electron";

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47]);

export class ShellImage implements Pick<NativeImage, "isEmpty" | "isTemplateImage" | "setTemplateImage"> {
  readonly file: string;
  readonly #isEmpty: boolean;
  #isTemplate = false;

  constructor(file: string) {
    this.file = file;
    this.#isEmpty = !existsSync(file) || !readFileSync(file).subarray(0, 4).equals(PNG);
  }

  isEmpty(): boolean {
    return this.#isEmpty;
  }

  setTemplateImage(option: boolean): void {
    this.#isTemplate = option;
  }

  isTemplateImage(): boolean {
    return this.#isTemplate;
  }
}

export const nativeImage = { createFromPath: (file: string) => new ShellImage(file) };
