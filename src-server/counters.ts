/** What the server counts: plain numbers on the packet path, read by metrics.ts when somebody asks. */

export const DROP_REASONS = [
  "not-wireguard",
  "source-rate",
  "source-limit",
  "node-rate",
  "node-sessions",
  "open-rate",
  "unproven-source",
  "no-node",
  "unknown-session",
  "queue-full",
  "udp-full",
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export const REFUSAL_REASONS = [
  "half-open",
  "handshake-timeout",
  "handshake-size",
  "protocol-error",
  "unauthorised",
  "unknown-node",
  "busy",
  "slow-reader",
  "heartbeat",
  "control-flood",
  "draining",
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export const PROBE_OUTCOMES = ["answered", "silence", "refused"] as const;
export type ProbeOutcomeName = (typeof PROBE_OUTCOMES)[number];

export class Counters {
  /** From guests to nodes, and back. */
  toNodesDatagrams = 0;
  toNodesBytes = 0;
  toGuestsDatagrams = 0;
  toGuestsBytes = 0;
  registrations = 0;
  resumptions = 0;
  stunAnswers = 0;
  /** Binding requests that came too fast. */
  stunLimited = 0;
  readonly probes: Record<ProbeOutcomeName, number>;
  readonly dropped: Record<DropReason, number>;
  readonly refused: Record<RefusalReason, number>;

  constructor() {
    this.dropped = zeros(DROP_REASONS);
    this.probes = zeros(PROBE_OUTCOMES);
    this.refused = zeros(REFUSAL_REASONS);
  }
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}
