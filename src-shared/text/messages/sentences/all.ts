/** Every sentence that an owner can meet, by what it is about. A sentence with fewer gaps stands before one that would match it too. */
import type { Pair } from "../template.ts";
import { CHECK_SENTENCES } from "./checks.ts";
import { CLIENT_SENTENCES } from "./clients.ts";
import { CONTROL_SENTENCES } from "./control.ts";
import { HEALTH_SENTENCES } from "./health.ts";
import { HELPER_SENTENCES } from "./helper.ts";
import { NETWORK_SENTENCES } from "./network.ts";
import { REACHABILITY_SENTENCES } from "./reachability.ts";
import { RELAY_SENTENCES } from "./relay.ts";
import { ROUTER_SENTENCES } from "./router.ts";
import { SELF_TEST_SENTENCES } from "./self-test.ts";
import { STORAGE_SENTENCES } from "./storage.ts";

export const SENTENCES: readonly Pair[] = [
  ...CLIENT_SENTENCES,
  ...CONTROL_SENTENCES,
  ...HEALTH_SENTENCES,
  ...HELPER_SENTENCES,
  ...NETWORK_SENTENCES,
  ...REACHABILITY_SENTENCES,
  ...RELAY_SENTENCES,
  ...ROUTER_SENTENCES,
  ...STORAGE_SENTENCES,
  ...SELF_TEST_SENTENCES,
  ...CHECK_SENTENCES,
];
