/** Exceptions from "the home network is blocked": what the owner writes, as the setting. Pure. */
import type { z } from "zod";
import { allowedDestinationSettingSchema } from "../../../src-shared/model/settings.ts";
import { formatPrefix, parseAddress, parsePrefix } from "../../../src-shared/net/address.ts";

export type Exception = z.infer<typeof allowedDestinationSettingSchema>;

/** As many as the setting holds. */
export const MAX_EXCEPTIONS = 64;

export interface ExceptionDraft {
  /** An address, or a network with its length. */
  readonly destination: string;
  readonly protocol: "any" | "tcp" | "udp";
  /** Empty for every port. */
  readonly port: string;
}

export interface ExceptionProblem {
  readonly field: "destination" | "port" | "protocol";
  /** Under `privacy.guests`. */
  readonly key: "addressInvalid" | "portInvalid" | "portNeedsProtocol" | "duplicate" | "tooMany";
}

export type ParsedException =
  | { readonly ok: true; readonly value: Exception }
  | { readonly ok: false; readonly problem: ExceptionProblem };

function problem(field: ExceptionProblem["field"], key: ExceptionProblem["key"]): ParsedException {
  return { ok: false, problem: { field, key } };
}

export function parseException(draft: ExceptionDraft, present: readonly Exception[]): ParsedException {
  if (present.length >= MAX_EXCEPTIONS) return problem("destination", "tooMany");
  const destination = destinationOf(draft.destination.trim());
  if (destination === undefined) return problem("destination", "addressInvalid");
  const port = draft.port.trim();
  if (port !== "" && !/^[0-9]{1,5}$/.test(port)) return problem("port", "portInvalid");
  // A packet filter knows ports of TCP and UDP only.
  if (port !== "" && draft.protocol === "any") return problem("protocol", "portNeedsProtocol");
  const parsed = allowedDestinationSettingSchema.safeParse({
    destination,
    ...(draft.protocol === "any" ? {} : { protocol: draft.protocol }),
    ...(port === "" ? {} : { port: Number(port) }),
  });
  if (!parsed.success) {
    return parsed.error.issues.some(({ path }) => path[0] === "port")
      ? problem("port", "portInvalid")
      : problem("destination", "addressInvalid");
  }
  if (present.some((other) => isSame(other, parsed.data))) return problem("destination", "duplicate");
  return { ok: true, value: parsed.data };
}

/** A single address is the network of itself alone; host bits of a network are cleared, as the filter would. */
function destinationOf(text: string): string | undefined {
  const address = parseAddress(text);
  const prefix = parsePrefix(address === undefined ? text : `${text}/${address.family === 4 ? 32 : 128}`);
  return prefix === undefined ? undefined : formatPrefix(prefix);
}

export function isSame(one: Exception, other: Exception): boolean {
  return one.destination === other.destination && one.protocol === other.protocol && one.port === other.port;
}

/** `192.168.1.20/32` → `192.168.1.20`: the length of a single address says nothing to people. */
export function destinationText(destination: string): string {
  return destination.replace(/^([0-9.]+)\/32$/, "$1").replace(/^([0-9a-f:.]+)\/128$/i, "$1");
}
