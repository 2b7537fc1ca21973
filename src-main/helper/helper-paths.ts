/** Where the helper of this user has its socket and token; the helper's own `paths.ts` is the other half. */
import { join } from "node:path";
import { HELPER_SOCKET_NAME, HELPER_TOKEN_NAME } from "../../src-shared/helper/protocol.ts";

export interface HelperEndpoint {
  socketPath: string;
  tokenPath: string;
}

/** @param env `HIGGS_STATE_DIR` moves the helper's directories, for tests */
export function helperEndpoint(uid: number, env: { HIGGS_STATE_DIR?: string | undefined }): HelperEndpoint {
  const override = env.HIGGS_STATE_DIR;
  const directory =
    override === undefined || override === ""
      ? join("/run/higgsnode", String(uid))
      : join(override, "run", String(uid));
  return { socketPath: join(directory, HELPER_SOCKET_NAME), tokenPath: join(directory, HELPER_TOKEN_NAME) };
}
