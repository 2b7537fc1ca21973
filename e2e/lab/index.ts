/** The lab, as tests and scripts use it. */
export * from "./addresses.ts";
export { plantForeignRules } from "./foreign-rules.ts";
export { Guest } from "./guest.ts";
export { Higgsnode, type Ready, type StartOptions } from "./higgsnode.ts";
export { type FetchOptions, type FetchResult, InternetUser, type ProbeOutcome, Transfer } from "./internet-user.ts";
export { Lab, type LabOptions } from "./lab.ts";
export { type ExecOptions, LabHost } from "./lab-host.ts";
export { LoopbackBridge } from "./loopback-bridge.ts";
export { NetworkSnapshot } from "./network-snapshot.ts";
export { poll, pollUntil, within } from "./poll.ts";
export { type HostProcess, processesUsing } from "./processes.ts";
export { type ExecResult, Program } from "./program.ts";
export { sha256OfSeededBytes } from "./seeded-bytes.ts";
export type { DnsQuery } from "./servers/dns-server.ts";
export { labObstacle, nodeProgram, requireLab } from "./support.ts";
export type { RouterOptions, Topology } from "./topology.ts";
