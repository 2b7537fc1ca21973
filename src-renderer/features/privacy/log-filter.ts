/** What is shown of the log: what the owner chose, as the contract takes it. Pure. */
import type { LogKind } from "../../../src-shared/model/privacy.ts";

export interface LogFilterDraft {
  readonly kind: LogKind;
  /** Id; empty for everyone. */
  readonly client: string;
  readonly search: string;
}

/** What the contract takes: what is empty is left out. */
export function filterOf({ kind, client, search }: LogFilterDraft) {
  const text = search.trim();
  return {
    kind,
    ...(client === "" ? {} : { client }),
    // Traffic has nothing to search in.
    ...(text === "" || kind === "traffic" ? {} : { search: text }),
  };
}
