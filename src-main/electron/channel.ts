/** The one IPC channel between a window and the gate, and the address of the page that may use it. */
export const GATE_CHANNEL = "higgs";

/** A scheme of its own gives the page an origin, which file: does not. */
export const PAGE_SCHEME = "higgs";
export const PAGE_ORIGIN = `${PAGE_SCHEME}://panel`;

/** Our page, and the files it makes itself to be saved. */
export function isOurAddress(url: string): boolean {
  return url.startsWith(`${PAGE_ORIGIN}/`) || url.startsWith(`blob:${PAGE_ORIGIN}/`);
}
