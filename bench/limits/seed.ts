/** The way of the first sketch: a process per tc call, every filter in one list, downloads over IPv4 only. */
import { CLIENT_PREFIX, must } from "./world.ts";

const DEVICE = "higgs0";

export interface SeedClient {
  classId: number;
  kbit: number;
}

export function seedApply(clients: readonly SeedClient[]): void {
  must("tc", ["qdisc", "add", "dev", DEVICE, "root", "handle", "1:", "htb", "default", "ffff"]);
  for (const client of clients) seedAdd(client);
}

function seedAdd({ classId, kbit }: SeedClient): void {
  const id = `1:${classId.toString(16)}`;
  must("tc", ["class", "add", "dev", DEVICE, "parent", "1:", "classid", id, "htb", ...rate(kbit)]);
  const address = `${CLIENT_PREFIX}.${classId >> 8}.${classId & 255}/32`;
  const match = ["u32", "match", "ip", "dst", address, "flowid", id];
  must("tc", ["filter", "add", "dev", DEVICE, "parent", "1:", "protocol", "ip", "prio", "1", ...match]);
}

export function seedChange({ classId, kbit }: SeedClient): void {
  const id = `1:${classId.toString(16)}`;
  must("tc", ["class", "change", "dev", DEVICE, "parent", "1:", "classid", id, "htb", ...rate(kbit)]);
}

export function seedRemove(): void {
  must("tc", ["qdisc", "del", "dev", DEVICE, "root"]);
}

function rate(kbit: number): string[] {
  return ["rate", `${kbit}kbit`, "ceil", `${kbit}kbit`, "quantum", "4500", "burst", "1m", "cburst", "1m"];
}
