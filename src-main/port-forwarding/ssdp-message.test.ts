import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeSsdp, encodeSearch, IGD_V1, MAX_SSDP_BYTES, SSDP_GROUP } from "./ssdp-message.ts";
import { ownLocation } from "./upnp-search.ts";

/** Recorded from miniupnpd 2.3.1. */
const ANSWER = [
  "HTTP/1.1 200 OK",
  "CACHE-CONTROL: max-age=120",
  `ST: ${IGD_V1}`,
  `USN: uuid:00000000-0000-4000-8000-000000000077::${IGD_V1}`,
  "EXT:",
  "SERVER: Debian/6.18 UPnP/1.1 MiniUPnPd/2.3.1",
  "LOCATION: http://192.168.77.1:5000/rootDesc.xml",
  'OPT: "http://schemas.upnp.org/upnp/1/0/"; ns=01',
  "01-NLS: 1795359433",
  "BOOTID.UPNP.ORG: 1795359433",
  "CONFIGID.UPNP.ORG: 1337",
  "",
  "",
].join("\r\n");

describe("SSDP", () => {
  it("searches with the lines of UPnP Device Architecture 1.1, section 1.3.2", () => {
    expect(encodeSearch(IGD_V1, `${SSDP_GROUP}:1900`, 1).toString()).toBe(
      `M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nST: ${IGD_V1}\r\nMX: 1\r\n\r\n`,
    );
  });

  it("reads an answer, whatever the case of its header names", () => {
    const expected = {
      kind: "answer",
      facts: { location: "http://192.168.77.1:5000/rootDesc.xml", target: IGD_V1, bootId: "1795359433" },
    };
    expect(decodeSsdp(Buffer.from(ANSWER))).toMatchObject(expected);
    expect(decodeSsdp(Buffer.from(ANSWER.replace("LOCATION", "Location").replaceAll("\r\n", "\n")))).toMatchObject(
      expected,
    );
  });

  it("reads announcements and farewells", () => {
    const notify = (nts: string) => Buffer.from(`NOTIFY * HTTP/1.1\r\nNT: ${IGD_V1}\r\nNTS: ${nts}\r\nUSN: u\r\n\r\n`);
    expect(decodeSsdp(notify("ssdp:alive"))?.kind).toBe("alive");
    expect(decodeSsdp(notify("ssdp:byebye"))?.kind).toBe("byebye");
    expect(decodeSsdp(notify("ssdp:nonsense"))).toBeUndefined();
  });

  it("takes a search of another program for nothing", () => {
    expect(decodeSsdp(encodeSearch(IGD_V1, "192.168.77.1:1900"))).toBeUndefined();
  });

  it("never throws, whatever arrives", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: MAX_SSDP_BYTES + 10 }), fc.nat(ANSWER.length), (octets, keep) => {
        decodeSsdp(octets);
        decodeSsdp(Buffer.concat([Buffer.from(ANSWER).subarray(0, keep), octets]));
      }),
    );
  });
});

describe("ownLocation", () => {
  it.each([
    ["http://192.168.77.1:5000/root.xml", "http://192.168.77.1:5000/root.xml"],
    ["http://192.168.77.99:5000/root.xml", undefined],
    ["http://192.168.77.1.example.org/root.xml", undefined],
    ["http://user@192.168.77.1/root.xml", undefined],
    ["https://192.168.77.1/root.xml", undefined],
    ["file:///etc/passwd", undefined],
    ["/root.xml", undefined],
  ])("%s from 192.168.77.1 is followed as %s", (text, expected) => {
    expect(ownLocation(text, "192.168.77.1")).toBe(expected);
  });
});
