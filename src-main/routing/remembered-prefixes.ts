/** The prefixes guests live in: chosen against the machine's routes, remembered, and the same for all who ask. */
import { randomBytes } from "node:crypto";
import type { Settings } from "../../src-shared/model/settings.ts";
import type { NetworkObservation } from "../../src-shared/network-observation.ts";
import { ok, type Result, unwrap } from "../../src-shared/result.ts";
import type { GuestPrefixes } from "../clients/address-allocator.ts";
import type { Logger } from "../logs/logger.ts";
import { chooseGuestPrefixes, type StoredPrefixes } from "./guest-prefix.ts";

export interface RememberedPrefixesOptions {
  settings: () => Settings;
  /** Survives the process. */
  memory: { prefixes: StoredPrefixes };
  /** Its own routes are no conflict. */
  ownInterface: string;
  logger: Logger;
}

export interface RememberedPrefixes {
  /** Errors: those of `chooseGuestPrefixes`. */
  choose(observation: Pick<NetworkObservation, "links" | "routes">): Result<GuestPrefixes>;
  /** Before the machine was looked at: what was chosen last, or would be on a machine without other networks. */
  current(): GuestPrefixes;
}

/** Each choice is remembered, and asked for again the next time. */
export function rememberPrefixes({
  settings,
  memory,
  ownInterface,
  logger,
}: RememberedPrefixesOptions): RememberedPrefixes {
  function choose(observation: Pick<NetworkObservation, "links" | "routes">): Result<GuestPrefixes> {
    const chosen = chooseGuestPrefixes({
      settings: settings(),
      observation,
      ownInterface,
      stored: memory.prefixes,
      random: (count) => randomBytes(count),
    });
    if (!chosen.ok) return chosen;
    const { ipv4, ipv6, remember, notes } = chosen.value;
    memory.prefixes = remember;
    for (const note of notes) logger.warn(note.message, { code: note.code });
    return ok({ ipv4, ipv6 });
  }
  return { choose, current: () => unwrap(choose({ links: [], routes: [] })) };
}
