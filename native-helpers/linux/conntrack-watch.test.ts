import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src-shared/clock.ts";
import type { ConnectionsEvent } from "../../src-shared/helper/connections.ts";
import { prefix } from "../../src-shared/net/address.ts";
import { ConntrackWatch } from "./conntrack-watch.ts";

const GUESTS = [prefix("10.66.0.0/16"), prefix("fd00::/64")];

function line(source: string, destination: string, port: number): string {
  return (
    `[1795358045.344832]\t[DESTROY] ipv4     2 tcp      6 119 TIME_WAIT src=${source} dst=${destination} ` +
    `sport=50323 dport=${port} packets=4 bytes=316 src=${destination} dst=192.168.77.10 sport=${port} dport=50323 ` +
    "packets=5 bytes=216 [ASSURED] delta-time=1"
  );
}

class Reader {
  events: ConnectionsEvent[] = [];
  behind = false;
  onEvent = (event: ConnectionsEvent) => void this.events.push(event);
  isBehind = () => this.behind;
  get ended() {
    return this.events.flatMap((event) => event.ended);
  }
  get states() {
    return this.events.map(({ source }) => source.state);
  }
  async until(what: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + 10_000;
    while (!what()) {
      if (performance.now() > deadlineMs) throw new Error(`in vain: ${JSON.stringify(this.events).slice(0, 500)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

describe("ConntrackWatch", () => {
  let folder: string;
  let watch: ConntrackWatch;
  let reader: Reader;

  /** A program in place of conntrack(8) that prints `lines` and stays, or ends with `code`. */
  function program(script: string): readonly [string, ...string[]] {
    const path = join(folder, "conntrack.mjs");
    writeFileSync(path, script);
    return [process.execPath, path];
  }
  function printing(lines: readonly string[], then = "setInterval(() => {}, 1000);"): readonly [string, ...string[]] {
    return program(`process.stdout.write(${JSON.stringify(`${lines.join("\n")}\n`)});\n${then}`);
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "conntrack-watch-"));
    reader = new Reader();
  });
  afterEach(() => {
    watch.setGuests(undefined);
    rmSync(folder, { recursive: true, force: true });
  });

  it("runs nothing until there are guests and somebody listens, and says so", async () => {
    watch = new ConntrackWatch({ clock: systemClock, command: printing([line("10.66.0.2", "203.0.113.7", 443)]) });
    const stop = watch.add(reader);
    expect(reader.states).toEqual(["off"]);
    watch.setGuests(GUESTS);
    await reader.until(() => reader.ended.length === 1);
    expect(reader.events.at(-1)?.source).toEqual({ state: "on" });
    watch.setGuests(undefined);
    expect(reader.states.at(-1)).toBe("off");
    stop();
  });

  it("tells of guests' connections to others, and of nobody else's", async () => {
    const lines = [
      line("192.168.77.10", "203.0.113.7", 1),
      line("10.66.0.2", "10.66.0.1", 53),
      "conntrack v1.4.7 (conntrack-tools): 5 flow events have been shown.",
      line("10.66.0.2", "203.0.113.7", 443),
    ];
    watch = new ConntrackWatch({ clock: systemClock, command: printing(lines) });
    watch.setGuests(GUESTS);
    watch.add(reader);
    await reader.until(() => reader.ended.length > 0);
    expect(reader.ended).toMatchObject([{ source: "10.66.0.2", destination: "203.0.113.7", destinationPort: 443 }]);
  });

  it.each(["is missing", "may not be run"])("says what to install where conntrack %s", async (why) => {
    const command = join(folder, "no-program");
    if (why !== "is missing") writeFileSync(command, "", { mode: 0o600 });
    watch = new ConntrackWatch({ clock: systemClock, command: [command] });
    watch.setGuests(GUESTS);
    watch.add(reader);
    await reader.until(() => reader.states.includes("unavailable"));
    expect(reader.states).not.toContain("on");
    expect(reader.events.at(-1)?.source).toMatchObject({
      error: { code: "conntrack-missing", hint: expect.stringContaining("conntrack") },
    });
  });

  it("passes on why conntrack ended", async () => {
    const command = program(
      'process.stderr.write("NOTICE: buffer\\nconntrack v1.4.7: Operation not permitted\\n", () => process.exit(1));',
    );
    watch = new ConntrackWatch({ clock: systemClock, command });
    watch.setGuests(GUESTS);
    watch.add(reader);
    await reader.until(() => reader.states.includes("unavailable"));
    expect(reader.events.at(-1)?.source).toMatchObject({
      error: { code: "conntrack-failed", message: expect.stringContaining("Operation not permitted") },
    });
  });

  it("stops reading while a listener is behind, and goes on afterwards without losing a line", async () => {
    const count = 20_000;
    const stuck = join(folder, "stuck");
    const command = program(
      `const line = ${JSON.stringify(line("10.66.0.2", "203.0.113.7", 443))} + "\\n";
       let left = ${count};
       import { writeFileSync } from "node:fs";
       const more = () => {
         while (left-- > 0) {
           if (process.stdout.write(line)) continue;
           const stuck = setTimeout(() => writeFileSync(${JSON.stringify(stuck)}, ""), 200);
           process.stdout.once("drain", () => { clearTimeout(stuck); more(); });
           return;
         }
       };
       more(); setInterval(() => {}, 1000);`,
    );
    watch = new ConntrackWatch({ clock: systemClock, command });
    watch.setGuests(GUESTS);
    reader.behind = true;
    watch.add(reader);
    await reader.until(() => existsSync(stuck));
    expect(reader.ended.length).toBeGreaterThan(0);
    expect(reader.ended.length).toBeLessThan(count / 2);
    reader.behind = false;
    await reader.until(() => reader.ended.length === count);
  });

  it("tells each drop that the kernel counted once", async () => {
    let drops = 0;
    watch = new ConntrackWatch({ clock: systemClock, command: printing([]), readDrops: () => drops });
    watch.setGuests(GUESTS);
    watch.add(reader);
    drops = 7;
    await reader.until(() => reader.events.some(({ dropped }) => dropped > 0));
    drops = 9;
    const sum = () => reader.events.reduce((total, { dropped }) => total + dropped, 0);
    await reader.until(() => sum() === 9);
    expect(reader.events.filter(({ dropped }) => dropped > 0)).toMatchObject([{ dropped: 7 }, { dropped: 2 }]);
  });

  it("ends what prints a line without end", async () => {
    const command = program('setInterval(() => process.stdout.write("x".repeat(4096)), 1);');
    watch = new ConntrackWatch({ clock: systemClock, command });
    watch.setGuests(GUESTS);
    watch.add(reader);
    await reader.until(() => reader.states.includes("unavailable"));
  });
});
