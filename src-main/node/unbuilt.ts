/** Calls whose parts are being built. */
import { HiggsFailure } from "../../src-shared/result.ts";

export async function unbuilt(): Promise<never> {
  throw new HiggsFailure({ code: "not-built", message: "This is not built yet." });
}
