/** What the calls about privacy do. */
import type { CallHandlers } from "../../src-shared/ipc/contract.ts";
import { unwrap } from "../../src-shared/result.ts";
import type { CallContext } from "../ipc/node-api.ts";
import type { PrivacyManager } from "./privacy-manager.ts";

type PrivacyCall = Extract<keyof CallHandlers<CallContext>, `privacy.${string}`>;

export interface PrivacyHandlerOptions {
  privacy: PrivacyManager;
  /** Resolves when the kernel and the helper follow the settings, or cannot. */
  settle: () => Promise<unknown>;
}

export function privacyHandlers({
  privacy,
  settle,
}: PrivacyHandlerOptions): Pick<CallHandlers<CallContext>, PrivacyCall> {
  return {
    "privacy.get": async () => privacy.state(),
    "privacy.set": async ({ changes }) => {
      unwrap(await privacy.updateSettings(changes));
      await settle();
      return privacy.state();
    },
    "privacy.stored": async () => privacy.stored(),
    "privacy.log": async (query) => unwrap(privacy.page(query)),
    "privacy.purge": () => privacy.purge(),
    "privacy.export": async (query) => unwrap(privacy.exportPiece(query)),
  };
}
