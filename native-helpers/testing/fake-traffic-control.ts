/**
 * Traffic control in memory, as far as we use it: htb, u32 with hash tables, a redirect at the ingress. Understands the
 * lines of `tc -batch` and nothing else, refuses what the kernel refuses, and prints what tc(8) prints.
 */
import { printedRate } from "../linux/traffic-control-read.ts";

interface FakeClass {
  parent: string;
  rateKbit: number;
  ceilKbit: number;
  level: number;
  leaf: string | undefined;
}

interface FakeFilter {
  protocol: string;
  table: string;
  bucket: string;
  target: string;
  /** `dst 10.66.0.2/32`, or undefined for one that takes everything. */
  match: string | undefined;
}

interface FakeDevice {
  root: boolean;
  ingress: boolean;
  redirect: string | undefined;
  classes: Map<string, FakeClass>;
  tables: Set<string>;
  /** By handle; the two roots by `root ip` and `root ipv6`. */
  filters: Map<string, FakeFilter>;
}

/** What the kernel answers to a line it does not take. */
export class TrafficRefusal extends Error {}

export class FakeTrafficControl {
  readonly devices = new Map<string, FakeDevice>();
  /** Queues this kernel has. */
  readonly queues = new Set(["fq_codel", "pfifo"]);

  /** Runs one line of a batch. */
  perform(line: string): void {
    const [, object = "", verb = "", name = "", rest = ""] = /^(\w+) (\w+) dev (\S+) ?(.*)$/.exec(line) ?? [];
    const device = this.device(name);
    const step = `${object} ${verb}`;
    if (step === "qdisc add" || step === "qdisc change" || step === "qdisc del") this.#qdisc(device, verb, rest);
    else if (step === "class add" || step === "class change") this.#shape(device, verb, rest);
    else if (step === "class del") this.#removeClass(device, word(rest, "classid"));
    else if (step === "filter add") this.#addFilter(device, rest);
    else if (step === "filter del") must(device.filters.delete(word(rest, "handle")), "no such filter");
    else throw new Error(`the helper runs something unforeseen: tc ${line}`);
  }

  device(name: string): FakeDevice {
    let device = this.devices.get(name);
    if (device === undefined) {
      device = {
        root: false,
        ingress: false,
        redirect: undefined,
        classes: new Map(),
        tables: new Set(),
        filters: new Map(),
      };
      this.devices.set(name, device);
    }
    return device;
  }

  showQdiscs(name: string): string {
    const { root, ingress } = this.device(name);
    const first = root
      ? `qdisc htb 1: dev ${name} root refcnt 2 r2q 10`
      : `qdisc noqueue 0: dev ${name} root refcnt 2 `;
    return `${first}\n${ingress ? `qdisc ingress ffff: dev ${name} parent ffff:fff1 ----------------\n` : ""}`;
  }

  showClasses(name: string, only?: string): string {
    const { classes } = this.device(name);
    const isInner = (id: string) => [...classes.values()].some(({ parent }) => parent === id);
    return [...classes]
      .filter(([id]) => only === undefined || id === only)
      .map(([id, { parent, rateKbit, ceilKbit, level, leaf }]) => {
        const place = parent === "1:" ? "root" : `parent ${parent}`;
        const queue = leaf === undefined ? "" : " leaf 8001:";
        const prio = isInner(id) ? "" : ` prio ${level}`;
        const rates = `rate ${capital(printedRate(rateKbit))} ceil ${capital(printedRate(ceilKbit))}`;
        return `class htb ${id} ${place}${queue}${prio} ${rates} burst 4Kb cburst 4Kb \n`;
      })
      .join("");
  }

  showFilters(name: string, parent: string): string {
    const { filters, redirect } = this.device(name);
    if (parent === "ffff:") {
      return redirect === undefined ? "" : `\taction order 1: mirred (Egress Redirect to device ${redirect}) stolen\n`;
    }
    return [...filters]
      .map(([handle, { protocol, table, bucket, target, match }]) => {
        const shown = handle.startsWith("root")
          ? `${protocol === "ip" ? "800" : "801"}::800`
          : handle.replace(":0:", "::");
        const where = target.endsWith(":") ? `link ${target}` : `*flowid ${target}`;
        const head = `filter protocol ${protocol} pref 1 u32 chain 0 fh ${shown} order 1 key ht ${table} bkt ${bucket} ${where} not_in_hw \n`;
        return head + (match === undefined ? "  match 00000000/00000000 at 0\n" : matchLines(match));
      })
      .join("");
  }

  #qdisc(device: FakeDevice, verb: string, rest: string): void {
    const parent = /^parent (\S+)/.exec(rest)?.[1];
    if (parent !== undefined) {
      this.#leaf(device, verb, parent, rest.replace(/^parent \S+ ?/, ""));
      return;
    }
    if (rest.startsWith("handle ffff: ingress") || rest === "ingress") {
      must(device.ingress === (verb === "del"), "Exclusivity flag on, cannot modify");
      device.ingress = verb === "add";
      device.redirect = undefined;
      return;
    }
    must(device.root === (verb === "del"), "File exists or handle of zero");
    device.root = verb === "add";
    device.classes.clear();
    device.filters.clear();
    device.tables.clear();
  }

  #leaf(device: FakeDevice, verb: string, parent: string, rest: string): void {
    const one = device.classes.get(parent);
    if (one === undefined) throw new TrafficRefusal("Failed to find specified qdisc.");
    const kind = rest.split(" ")[0] ?? "";
    if (verb === "del") {
      must(one.leaf !== undefined, "Cannot delete qdisc with handle of zero.");
      one.leaf = undefined;
      return;
    }
    must(this.queues.has(kind), "Specified qdisc kind is unknown.");
    must(verb === "add" ? one.leaf === undefined : one.leaf?.startsWith(kind) === true, "Invalid argument");
    one.leaf = rest;
  }

  #shape(device: FakeDevice, verb: string, rest: string): void {
    const id = word(rest, "classid");
    must(device.root, "Parent Qdisc doesn't exists.");
    must(device.classes.has(id) === (verb === "change"), "Class exists, or does not");
    const parent = / ?parent (\S+)/.exec(rest)?.[1] ?? device.classes.get(id)?.parent ?? "1:";
    const quantum = Number(word(rest, "quantum"));
    // tc warns about others: r2q is for people who do not say what they want.
    must(quantum >= 1_000 && quantum <= 200_000, "quantum is out of range");
    const level = Number(/ prio (\d+)/.exec(rest)?.[1]);
    must(level <= 7, "prio is out of range");
    const shaped = { parent, rateKbit: kbit(word(rest, "rate")), ceilKbit: kbit(word(rest, "ceil")), level };
    device.classes.set(id, { ...shaped, leaf: device.classes.get(id)?.leaf });
  }

  #removeClass(device: FakeDevice, id: string): void {
    must(
      [...device.filters.values()].every(({ target }) => target !== id),
      "Device or resource busy",
    );
    must(device.classes.delete(id), "no such class");
  }

  #addFilter(device: FakeDevice, rest: string): void {
    const redirect =
      /^parent ffff: prio 1 protocol all u32 match u32 0 0 action mirred egress redirect dev (\S+)$/.exec(rest);
    if (redirect !== null) {
      must(device.ingress, "Parent Qdisc doesn't exists.");
      device.redirect = redirect[1];
      return;
    }
    must(device.root, "Parent Qdisc doesn't exists.");
    const protocol = word(rest, "protocol");
    const handle = / handle (\S+)/.exec(rest)?.[1];
    if (rest.endsWith("u32 divisor 256")) {
      must(handle !== undefined && !device.tables.has(handle), "File exists");
      device.tables.add(handle ?? "");
      return;
    }
    const target = / (?:flowid|link) (\S+)/.exec(rest)?.[1] ?? "";
    if (target.endsWith(":")) must(device.tables.has(target), "Link points to a missing hash table");
    const [table = "", bucket = ""] = (/ ht (\S+):/.exec(rest)?.[1] ?? "800:0").split(":");
    must(table === "800" || device.tables.has(`${table}:`), "Specified hash table not found");
    const key = handle ?? `root ${protocol}`;
    must(!device.filters.has(key), "File exists");
    const match = / match ip6? (\S+ \S+)/.exec(rest)?.[1];
    device.filters.set(key, { protocol, table, bucket, target, match });
  }
}

function must(holds: boolean, refusal: string): void {
  if (!holds) throw new TrafficRefusal(refusal);
}

function word(rest: string, name: string): string {
  return new RegExp(`(?:^| )${name} (\\S+)`).exec(rest)?.[1] ?? "";
}

function kbit(text: string): number {
  return Number(/^(\d+)kbit$/.exec(text)?.[1]);
}

/** tc writes 5Mbit where we write 5mbit. */
function capital(rate: string): string {
  return rate.replace(/[kmgt]bit$/, (unit) => unit.charAt(0).toUpperCase() + unit.slice(1));
}

function matchLines(match: string): string {
  const [side, prefix = ""] = match.split(" ");
  const [address = ""] = prefix.split("/");
  const words = address.includes(":") ? ipv6Words(address) : ipv4Words(address);
  const last = words.length === 1 ? (side === "src" ? 12 : 16) : side === "src" ? 20 : 36;
  return words.map((hex, index) => `  match ${hex}/ffffffff at ${last - 4 * (words.length - 1 - index)}\n`).join("");
}

function ipv4Words(address: string): string[] {
  return [
    address
      .split(".")
      .map((part) => Number(part).toString(16).padStart(2, "0"))
      .join(""),
  ];
}

function ipv6Words(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => "0"), ...right];
  const hex = groups.map((group) => group.padStart(4, "0")).join("");
  return [0, 8, 16, 24].map((start) => hex.slice(start, start + 8));
}
