/**
 * A home router's IPv6 firewall without a network: opened by PCP (RFC 6887, section 11) and by UPnP's WANIPv6FirewallControl:1,
 * as far as it is told to speak them.
 */
import { Buffer } from "node:buffer";
import type { Clock } from "../../../src-shared/clock.ts";
import { ok } from "../../../src-shared/result.ts";
import type { Datagrams, Sender } from "../datagrams.ts";
import type { HttpAnswer, HttpExchange } from "../http-exchange.ts";
import type { HomeNetwork } from "../mapping.ts";
import { mappingFail } from "../mapping-errors.ts";
import type { MappingIo } from "../mapping-io.ts";
import { FIREWALL_CONTROL_V1 } from "../ssdp-message.ts";

export const NETWORK_IPV6: HomeNetwork = {
  gateway: "2a0a:77::1",
  address: "2a0a:77::10",
  lanPrefix: "2a0a:77::/64",
};
const DESCRIPTION_URL = "http://[2a0a:77::1]:5000/root.xml";
const CONTROL_URL = "http://[2a0a:77::1]:5000/ctl/firewall";

interface Opening {
  readonly client: string;
  readonly port: number;
  leaseSeconds: number;
}

export class FakeIpv6Router {
  readonly #clock: Clock;
  speaksPcp = true;
  speaksUpnp = false;
  /** PCP: result code 2 to every request. */
  refusesPcp = false;
  /** By PCP: port → the nonce that may close it. */
  readonly open = new Map<number, string>();
  /** By UPnP: name → opening. */
  readonly pinholes = new Map<number, Opening>();
  /** What GetFirewallStatus says. */
  status = { FirewallEnabled: "1", InboundPinholeAllowed: "1" };
  /** UPnP error codes by action. */
  readonly errors = new Map<string, number>();
  /** In place of every answer by HTTP. */
  http: HttpAnswer | undefined;
  /** Who was asked to map by PCP. */
  readonly asked: Sender[] = [];
  /** UPnP actions in order. */
  readonly actions: string[] = [];
  /** The machine that a request by HTTP comes from. */
  #from = "";
  #nextId = 1;
  #epoch = 77;
  #octet = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get io(): MappingIo {
    return {
      clock: this.#clock,
      randomBytes: (count) => new Uint8Array(count).fill(++this.#octet),
      datagrams: this.#datagrams,
      http: this.#http,
    };
  }

  /** A power cut: everything is closed, and the names begin anew. */
  restart(): void {
    this.open.clear();
    this.pinholes.clear();
    this.#nextId = 1;
    this.#epoch = 0;
  }

  readonly #datagrams: Datagrams = {
    connect: async (to, _local, handlers) =>
      ok({
        send: (message) => {
          const request = Buffer.from(message);
          const speaks = to.port === 5351 ? this.speaksPcp : this.speaksUpnp;
          if (!speaks) return queueMicrotask(() => handlers.onError("refused"));
          const answer = to.port === 5351 ? this.#pcp(request, to) : this.#found(request);
          queueMicrotask(() => handlers.onMessage(answer, to));
        },
        close: () => {},
      }),
    open: async () => ok({ send: () => {}, close: () => {} }),
    join: async () => mappingFail("socket-failed"),
  };

  #pcp(request: Buffer, to: Sender): Buffer {
    const answer = Buffer.from(request);
    answer[1] = 0x80 | (request[1] ?? 0);
    answer.fill(0, 8, 24).writeUInt32BE(this.#epoch, 8);
    answer[3] = this.refusesPcp ? 2 : 0;
    if (request[1] !== 1) return answer;
    this.asked.push(to);
    const port = request.readUInt16BE(40);
    const nonce = request.toString("hex", 24, 36);
    if (this.open.has(port) && this.open.get(port) !== nonce) answer[3] = 2;
    answer.writeUInt16BE(port, 42);
    request.copy(answer, 44, 8, 24);
    if (answer[3] !== 0) return answer;
    if (request.readUInt32BE(4) === 0) this.open.delete(port);
    else this.open.set(port, nonce);
    return answer;
  }

  #found(request: Buffer): Buffer {
    const target = /^ST: *(.*?)\r?$/im.exec(request.toString("latin1"))?.[1];
    return Buffer.from(
      `HTTP/1.1 200 OK\r\nST: ${target}\r\nUSN: uuid:fake::${target}\r\nLOCATION: ${DESCRIPTION_URL}\r\n\r\n`,
    );
  }

  readonly #http: HttpExchange = async ({ url, localAddress, body, headers }) => {
    if (this.http !== undefined) return ok(this.http);
    if (url === DESCRIPTION_URL) return ok({ status: 200, body: description() });
    if (url !== CONTROL_URL || body === undefined) return mappingFail("upnp-unreachable");
    const action = /#(\w+)"?$/.exec(headers?.SOAPAction ?? "")?.[1] ?? "";
    this.actions.push(action);
    this.#from = localAddress;
    const answer = this.#act(action, (name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? "");
    return typeof answer === "number"
      ? ok({ status: 500, body: envelope(`<Fault><UPnPError><errorCode>${answer}</errorCode></UPnPError></Fault>`) })
      : ok({ status: 200, body: envelope(result(action, answer)) });
  };

  /** The result's values, or an error code. */
  #act(action: string, value: (name: string) => string): Record<string, string | number> | number {
    const error = this.errors.get(action);
    if (error !== undefined) return error;
    const id = Number(value("UniqueID"));
    const known = this.pinholes.get(id);
    switch (action) {
      case "GetFirewallStatus":
        return this.status;
      case "AddPinhole":
        return this.#add(value);
      case "UpdatePinhole":
        if (known === undefined) return 704;
        known.leaseSeconds = Number(value("NewLeaseTime"));
        return {};
      case "GetPinholePackets":
        return known === undefined ? 704 : { PinholePackets: 0 };
      case "DeletePinhole":
        return this.pinholes.delete(id) ? {} : 704;
      default:
        return 401;
    }
  }

  #add(value: (name: string) => string): Record<string, number> | number {
    const [client, port, leaseSeconds] = [value("InternalClient"), Number(value("InternalPort")), value("LeaseTime")];
    if (client !== this.#from) return 606;
    if (value("Protocol") !== "17" || value("RemoteHost") !== "" || value("RemotePort") !== "0") return 402;
    const same = [...this.pinholes].find(([, each]) => each.client === client && each.port === port);
    const id = same?.[0] ?? this.#nextId++;
    this.pinholes.set(id, { client, port, leaseSeconds: Number(leaseSeconds) });
    return { UniqueID: id };
  }
}

function description(): string {
  const service = `<service><serviceType>${FIREWALL_CONTROL_V1}</serviceType><controlURL>/ctl/firewall</controlURL></service>`;
  return `<root><device><serviceList>${service}</serviceList></device></root>`;
}

function result(action: string, values: Record<string, string | number>): string {
  const inner = Object.entries(values).map(([name, text]) => `<${name}>${text}</${name}>`);
  return `<${action}Response>${inner.join("")}</${action}Response>`;
}

function envelope(inner: string): string {
  return `<Envelope><Body>${inner}</Body></Envelope>`;
}
