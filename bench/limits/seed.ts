/** The way of the first sketch: a process per tc call, every filter in one list, downloads over IPv4 only. */
import { clientAddress, must } from "./world.ts";

export interface SeedClient {
  classId: number;
  kbit: number;
}

export function seedApply(place: number, clients: readonly SeedClient[]): void {
  must("tc", ["qdisc", "add", "dev", `higgs${place}`, "root", "handle", "1:", "htb", "default", "ffff"]);
  for (const client of clients) seedAdd(place, client);
}

function seedAdd(place: number, { classId, kbit }: SeedClient): void {
  const device = `higgs${place}`;
  const id = `1:${classId.toString(16)}`;
  must("tc", ["class", "add", "dev", device, "parent", "1:", "classid", id, "htb", ...rate(kbit)]);
  const address = `${clientAddress(place, classId)}/32`;
  const match = ["u32", "match", "ip", "dst", address, "flowid", id];
  must("tc", ["filter", "add", "dev", device, "parent", "1:", "protocol", "ip", "prio", "1", ...match]);
}

export function seedChange(place: number, { classId, kbit }: SeedClient): void {
  const device = `higgs${place}`;
  const id = `1:${classId.toString(16)}`;
  must("tc", ["class", "change", "dev", device, "parent", "1:", "classid", id, "htb", ...rate(kbit)]);
}

function rate(kbit: number): string[] {
  return ["rate", `${kbit}kbit`, "ceil", `${kbit}kbit`, "quantum", "4500", "burst", "1m", "cburst", "1m"];
}
