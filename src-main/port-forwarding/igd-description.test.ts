import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readIgdDescription } from "./igd-description.ts";
import { decodeAnswer, encodeAction } from "./soap.ts";
import { parseXml } from "./xml.ts";

const LOCATION = "http://192.168.77.1:5000/rootDesc.xml";
const IP_V1 = "urn:schemas-upnp-org:service:WANIPConnection:1";
const IP_V2 = "urn:schemas-upnp-org:service:WANIPConnection:2";
const PPP = "urn:schemas-upnp-org:service:WANPPPConnection:1";

function service(type: string, control: string): string {
  return `<service><serviceType>${type}</serviceType><controlURL>${control}</controlURL></service>`;
}

function root(inner: string): string {
  return `<?xml version="1.0"?>\n<root xmlns="urn:schemas-upnp-org:device-1-0">${inner}</root>`;
}

describe("readIgdDescription", () => {
  it("finds the services that map ports at any depth, the better first", () => {
    const deep = `<device><deviceList><device><serviceList>${service(PPP, "/ppp")}${service(IP_V2, "ctl/2")}</serviceList></device></deviceList></device>`;
    expect(readIgdDescription(root(service(IP_V1, "/one") + deep), LOCATION)).toEqual({
      kind: "services",
      services: [
        { serviceType: IP_V2, controlUrl: "http://192.168.77.1:5000/ctl/2" },
        { serviceType: IP_V1, controlUrl: "http://192.168.77.1:5000/one" },
        { serviceType: PPP, controlUrl: "http://192.168.77.1:5000/ppp" },
      ],
    });
  });

  it("lets the port be another, but not the host", () => {
    const text = (base: string) => root(`<URLBase>${base}</URLBase>${service(IP_V1, "/c")}`);
    expect(readIgdDescription(text("http://192.168.77.1:80/"), LOCATION)).toMatchObject({
      services: [{ controlUrl: "http://192.168.77.1/c" }],
    });
    expect(readIgdDescription(text("http://198.51.100.9/"), LOCATION)).toEqual({ kind: "foreign-address" });
    expect(readIgdDescription(root(service(IP_V1, "http://127.0.0.1/c")), LOCATION)).toEqual({
      kind: "foreign-address",
    });
  });

  it("passes over an ampersand that should have been escaped, as routers write it", () => {
    const text = root(`<friendlyName>Huawei & Co</friendlyName>${service(IP_V1, "/c")}`);
    expect(readIgdDescription(text, LOCATION)).toMatchObject({ services: [{ serviceType: IP_V1 }] });
  });

  it.each([
    ["a login page", "<!DOCTYPE html><html><body>Log in</body></html>"],
    ["a page without document type", "<html><body><p>Log in<br></body></html>"],
    ["nothing", ""],
    ["octets of no text", "\u0000\u0001\u0002"],
    ["entities", '<!DOCTYPE root [<!ENTITY a "b">]><root>&a;</root>'],
    ["depth without end", "<root>".repeat(5_000)],
    ["elements without end", `<root>${"<a/>".repeat(50_000)}</root>`],
  ])("gives no description for %s", (_, text) => {
    expect(readIgdDescription(text, LOCATION)).toEqual({ kind: "not-a-description" });
  });

  it("never throws, whatever arrives", () => {
    const piece = fc.constantFrom(
      "<root>",
      "</root>",
      "<service>",
      "<![CDATA[",
      "]]>",
      "&amp;",
      "&#x0;",
      "<!",
      "<?",
      "'",
      "=",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }), (pieces) => {
        const text = pieces.join("");
        readIgdDescription(text, LOCATION);
        decodeAnswer("GetStatusInfo", text);
      }),
      { numRuns: 500 },
    );
  });
});

describe("SOAP", () => {
  it("escapes what it is given, and names the action in the header", () => {
    const { body, headers } = encodeAction(IP_V1, "AddPortMapping", [["NewPortMappingDescription", "<&\"'>"]]);
    expect(headers.SOAPAction).toBe(`"${IP_V1}#AddPortMapping"`);
    const parsed = parseXml(body)?.children[0]?.children[0];
    expect(parsed?.name).toBe("AddPortMapping");
    expect(parsed?.children[0]).toMatchObject({ name: "NewPortMappingDescription", text: "<&\"'>" });
  });

  it("reads results and errors", () => {
    const envelope = (inner: string) => `<s:Envelope xmlns:s="e"><s:Body>${inner}</s:Body></s:Envelope>`;
    const result = decodeAnswer(
      "GetExternalIPAddress",
      envelope(
        "<u:GetExternalIPAddressResponse><NewExternalIPAddress> 11.22.33.2 </NewExternalIPAddress></u:GetExternalIPAddressResponse>",
      ),
    );
    expect(result).toEqual({ kind: "result", values: new Map([["NewExternalIPAddress", "11.22.33.2"]]) });
    const error =
      "<s:Fault><detail><UPnPError><errorCode>718</errorCode><errorDescription>Conflict</errorDescription></UPnPError></detail></s:Fault>";
    expect(decodeAnswer("AddPortMapping", envelope(error))).toEqual({
      kind: "error",
      code: 718,
      description: "Conflict",
    });
    expect(decodeAnswer("AddPortMapping", "<html></html>")).toEqual({ kind: "not-soap" });
  });
});
