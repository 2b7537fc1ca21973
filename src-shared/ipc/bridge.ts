/** What the desktop window's preload script puts into the page as `window.higgs`, and nothing else. */
import type { Result } from "../result.ts";

export interface HiggsBridge {
  /** A call of the contract by its name; failures are values. */
  call(name: string, input: unknown): Promise<Result<unknown>>;
  /** Asks for events; the present value of every revised state comes first. */
  subscribe(listener: (name: string, payload: unknown) => void): Promise<Result<void>>;
}
