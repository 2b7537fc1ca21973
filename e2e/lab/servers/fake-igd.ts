/**
 * An Internet Gateway Device that can be told to misbehave as real ones do and miniupnpd does not. It forwards nothing.
 * Usage: fake-igd.ts OPTIONS_AS_JSON. Prints one line of JSON when it listens, then one for each action it was asked for.
 */
import { createSocket, type Socket } from "node:dgram";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * `ok`: as the standard says. `permanent-only`: refuses leases (725). `conflict`: every port is taken (718).
 * `unauthorised`: 606. `failed`: 501. `stall`: begins the description and never ends it. `stall-control`: the same with
 * answers to actions. `html`: a login page. `huge`: a description of 10 MB. `bomb`: one with nested entities.
 * `foreign`: announces a description on another host. `redirect`: sends whoever asks for the description to another host.
 */
export const FAULTS = [
  "ok",
  "permanent-only",
  "conflict",
  "unauthorised",
  "failed",
  "stall",
  "stall-control",
  "html",
  "huge",
  "bomb",
  "foreign",
  "redirect",
] as const;

export interface FakeIgdOptions {
  address: string;
  /** 0 for any free one. */
  httpPort: number;
  ssdpPort: number;
  version: 1 | 2;
  fault: (typeof FAULTS)[number];
  externalAddress: string;
  /** Where `foreign` and `redirect` lead. */
  elsewhere?: string;
}

export interface FakeEntry {
  internalClient: string;
  internalPort: number;
  leaseSeconds: number;
}

const HUGE_BYTES = 10 * 1024 * 1024;
const FIRST_SPARE_PORT = 40_000;

export class FakeIgd {
  readonly options: FakeIgdOptions;
  /** By `UDP 51820`. */
  readonly entries = new Map<string, FakeEntry>();
  /** Names of the actions that were asked for, in order. */
  readonly actions: string[] = [];
  onAction: (action: string) => void = () => {};
  #http: Server;
  #ssdp: Socket;

  private constructor(options: FakeIgdOptions) {
    this.options = options;
    this.#http = createServer((request, response) => void this.#answer(request, response));
    this.#ssdp = createSocket({ type: "udp4", reuseAddr: true });
  }

  static async start(options: FakeIgdOptions): Promise<FakeIgd> {
    const fake = new FakeIgd(options);
    await new Promise<void>((resolve, reject) => {
      fake.#http.once("error", reject);
      fake.#http.listen(options.httpPort, options.address, resolve);
    });
    await new Promise<void>((resolve, reject) => {
      fake.#ssdp.once("error", reject);
      fake.#ssdp.bind(options.ssdpPort, options.address, resolve);
    });
    fake.#ssdp.on("message", (message, from) => {
      const target = /^ST: *(.*?)\r?$/im.exec(message.toString("latin1"))?.[1];
      if (target === undefined) return;
      fake.#ssdp.send(fake.#searchAnswer(target), from.port, from.address);
    });
    return fake;
  }

  get ssdpPort(): number {
    return this.#ssdp.address().port;
  }

  get httpPort(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#ssdp.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #searchAnswer(target: string): string {
    const { fault, elsewhere, address } = this.options;
    const host = fault === "foreign" ? (elsewhere ?? "192.0.2.1") : address;
    return [
      "HTTP/1.1 200 OK",
      "CACHE-CONTROL: max-age=120",
      `ST: ${target}`,
      `USN: uuid:fake::${target}`,
      "EXT:",
      "SERVER: fake/1 UPnP/1.1 fake/1",
      `LOCATION: http://${host}:${this.httpPort}/root.xml`,
      "BOOTID.UPNP.ORG: 1",
      "",
      "",
    ].join("\r\n");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method === "POST") this.#control(request, Buffer.concat(chunks).toString("utf8"), response);
    else this.#description(response);
  }

  #description(response: ServerResponse): void {
    const { fault, elsewhere = "192.0.2.1" } = this.options;
    switch (fault) {
      case "stall":
        response.writeHead(200, { "Content-Length": "5000" });
        response.write('<?xml version="1.0"?><root>');
        return;
      case "html":
        response.writeHead(200, { "Content-Type": "text/html" });
        response.end("<!DOCTYPE html><html><body><form>Password: <input></form></body></html>");
        return;
      case "huge":
        response.writeHead(200);
        response.end(Buffer.alloc(HUGE_BYTES, "<a></a>"));
        return;
      case "bomb":
        response.writeHead(200);
        response.end(entityBomb());
        return;
      case "redirect":
        response.writeHead(302, { Location: `http://${elsewhere}:${this.httpPort}/root.xml` });
        response.end();
        return;
      default:
        response.writeHead(200, { "Content-Type": "text/xml" });
        response.end(description(this.options.version));
    }
  }

  #control(request: IncomingMessage, body: string, response: ServerResponse): void {
    const [, serviceType = "", action = ""] = /^"?(.*)#(\w+)"?$/.exec(String(request.headers.soapaction)) ?? [];
    this.actions.push(action);
    this.onAction(action);
    if (this.options.fault === "stall-control") {
      response.writeHead(200, { "Content-Length": "5000" });
      response.write("<s:Envelope>");
      return;
    }
    const value = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? "";
    const answer = this.#act(action, value);
    response.writeHead(typeof answer === "number" ? 500 : 200, { "Content-Type": 'text/xml; charset="utf-8"' });
    response.end(typeof answer === "number" ? fault(answer) : result(serviceType, action, answer));
  }

  /** The result's values, or an error code. */
  #act(action: string, value: (name: string) => string): Record<string, string | number> | number {
    const key = `${value("NewProtocol")} ${value("NewExternalPort")}`;
    switch (action) {
      case "GetStatusInfo":
        return { NewConnectionStatus: "Connected", NewLastConnectionError: "ERROR_NONE", NewUptime: 1 };
      case "GetExternalIPAddress":
        return { NewExternalIPAddress: this.options.externalAddress };
      case "GetSpecificPortMappingEntry": {
        const entry = this.entries.get(key);
        if (entry === undefined) return 714;
        return { NewInternalPort: entry.internalPort, NewInternalClient: entry.internalClient, NewEnabled: 1 };
      }
      case "DeletePortMapping":
        return this.entries.delete(key) ? {} : 714;
      case "AddPortMapping":
        return this.#add(key, value) ?? {};
      case "AddAnyPortMapping": {
        if (this.options.version === 1) return 401;
        const isTaken = this.entries.has(key) && this.entries.get(key)?.internalClient !== value("NewInternalClient");
        const port = isTaken ? FIRST_SPARE_PORT + this.entries.size : Number(value("NewExternalPort"));
        return this.#add(`${value("NewProtocol")} ${port}`, value) ?? { NewReservedPort: port };
      }
      default:
        return 401;
    }
  }

  #add(key: string, value: (name: string) => string): number | undefined {
    const { fault: how } = this.options;
    const leaseSeconds = Number(value("NewLeaseDuration"));
    if (how === "conflict") return 718;
    if (how === "unauthorised") return 606;
    if (how === "failed") return 501;
    if (how === "permanent-only" && leaseSeconds !== 0) return 725;
    const internalClient = value("NewInternalClient");
    const holder = this.entries.get(key);
    if (holder !== undefined && holder.internalClient !== internalClient) return 718;
    this.entries.set(key, { internalClient, internalPort: Number(value("NewInternalPort")), leaseSeconds });
    return undefined;
  }
}

function description(version: 1 | 2): string {
  return `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>
<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:${version}</deviceType><friendlyName>Fake & Sons</friendlyName>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:${version}</deviceType>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:${version}</deviceType>
<serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:${version}</serviceType>
<serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId><controlURL>/control</controlURL>
<eventSubURL>/events</eventSubURL><SCPDURL>/scpd.xml</SCPDURL></service></serviceList>
</device></deviceList></device></deviceList></device></root>`;
}

/** "Billion laughs": 10^9 words for whoever expands it. */
function entityBomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const inner = `&e${level};`.repeat(10);
    return `<!ENTITY e${level + 1} "${inner}">`;
  });
  return `<?xml version="1.0"?><!DOCTYPE root [<!ENTITY e0 "ha">${levels.join("")}]><root><a>&e9;</a></root>`;
}

function result(serviceType: string, action: string, values: Record<string, string | number>): string {
  const inner = Object.entries(values)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join("");
  return envelope(`<u:${action}Response xmlns:u="${serviceType}">${inner}</u:${action}Response>`);
}

function fault(code: number): string {
  return envelope(
    "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>" +
      `<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${code}</errorCode>` +
      `<errorDescription>as told</errorDescription></UPnPError></detail></s:Fault>`,
  );
}

function envelope(body: string): string {
  return (
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
    `s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>${body}</s:Body></s:Envelope>`
  );
}

if (import.meta.main) {
  const fake = await FakeIgd.start(JSON.parse(process.argv[2] ?? "{}") as FakeIgdOptions);
  const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
  fake.onAction = (action) => setImmediate(() => print({ action, entries: Object.fromEntries(fake.entries) }));
  print({ ready: true });
}
