import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { DeviceRestarts } from "./announcements.ts";

const ROUTER = "192.168.1.1";

function notify(kind: "alive" | "byebye", bootId?: number): Buffer {
  const boot = bootId === undefined ? "" : `BOOTID.UPNP.ORG: ${bootId}\r\n`;
  return Buffer.from(`NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\r\nNTS: ssdp:${kind}\r\nUSN: uuid:1\r\n${boot}\r\n`);
}

describe("DeviceRestarts", () => {
  it("takes no notice of a router that only says that it is there", () => {
    const restarts = new DeviceRestarts();
    const heard = Array.from({ length: 10 }, () => restarts.heard(notify("alive", 7), ROUTER));
    expect(heard).not.toContain(true);
  });

  it("notices another boot id, once", () => {
    const restarts = new DeviceRestarts();
    restarts.heard(notify("alive", 7), ROUTER);
    expect(restarts.heard(notify("alive", 8), ROUTER)).toBe(true);
    expect(restarts.heard(notify("alive", 8), ROUTER)).toBe(false);
  });

  it("notices a router without boot ids that says goodbye and comes back", () => {
    const restarts = new DeviceRestarts();
    restarts.heard(notify("alive"), ROUTER);
    expect(restarts.heard(notify("byebye"), ROUTER)).toBe(false);
    expect(restarts.heard(notify("alive"), ROUTER)).toBe(true);
    expect(restarts.heard(notify("alive"), ROUTER)).toBe(false);
  });

  it("does not mix up two devices", () => {
    const restarts = new DeviceRestarts();
    restarts.heard(notify("alive", 7), ROUTER);
    expect(restarts.heard(notify("alive", 9), "192.168.1.50")).toBe(false);
    expect(restarts.heard(notify("alive", 7), ROUTER)).toBe(false);
  });
});
