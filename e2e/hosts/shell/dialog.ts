/** Questions and complaints: a question waits until the test answers it. */
import type { Dialog, MessageBoxOptions, MessageBoxReturnValue } from "electron";

interface Open {
  readonly options: MessageBoxOptions;
  readonly answer: (value: MessageBoxReturnValue) => void;
}

export class ShellDialog implements Pick<Dialog, "showErrorBox"> {
  readonly errors: { title: string; content: string }[] = [];
  #open: Open[] = [];

  /** The questions that are on the screen. */
  get open(): MessageBoxOptions[] {
    return this.#open.map(({ options }) => options);
  }

  showErrorBox(title: string, content: string): void {
    this.errors.push({ title, content });
    process.stderr.write(`${title}: ${content}\n`);
  }

  /** With the window it belongs to, or without. */
  showMessageBox(first: object, second?: MessageBoxOptions): Promise<MessageBoxReturnValue> {
    const options = second ?? (first as MessageBoxOptions);
    return new Promise((answer) => {
      this.#open.push({ options, answer });
    });
  }

  /** Presses the button of that name on the oldest question that has it. */
  press(button: string): void {
    const open = this.#open.find(({ options }) => options.buttons?.includes(button));
    if (open === undefined) throw new Error(`no question has the button ${button}`);
    this.#open = this.#open.filter((other) => other !== open);
    open.answer({ response: open.options.buttons?.indexOf(button) ?? 0, checkboxChecked: false });
  }
}
