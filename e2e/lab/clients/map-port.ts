/**
 * Takes a UDP port at the router for this host, as another device at home would. Prints one line of JSON with the router's
 * answer. Usage: map-port.ts nat-pmp|upnp ROUTER PORT OWN_ADDRESS
 */
import { createSocket } from "node:dgram";
import { request } from "node:http";

const LEASE_SECONDS = 3_600;
/** miniupnpd's, which the lab knows without looking for it. */
const UPNP_PORT = 5000;
const CONTROL_PATH = "/ctl/IPConn";

const [protocol, router = "", portText] = process.argv.slice(2);
const port = Number(portText);
const answer = protocol === "upnp" ? await byUpnp() : await byNatPmp();
process.stdout.write(`${JSON.stringify({ answer })}\n`);

/** RFC 6886, section 3.3. */
function byNatPmp(): Promise<string> {
  const message = Buffer.alloc(12);
  message[1] = 1;
  message.writeUInt16BE(port, 4);
  message.writeUInt16BE(port, 6);
  message.writeUInt32BE(LEASE_SECONDS, 8);
  const socket = createSocket("udp4");
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (received) => {
      socket.close();
      resolve(received.toString("hex"));
    });
    socket.connect(5351, router, () => socket.send(message));
  });
}

function byUpnp(): Promise<string> {
  const service = "urn:schemas-upnp-org:service:WANIPConnection:1";
  const own = Object.entries({
    NewRemoteHost: "",
    NewExternalPort: port,
    NewProtocol: "UDP",
    NewInternalPort: port,
    NewInternalClient: process.argv[5] ?? "",
    NewEnabled: 1,
    NewPortMappingDescription: "rival",
    NewLeaseDuration: LEASE_SECONDS,
  });
  const args = own.map(([name, value]) => `<${name}>${value}</${name}>`).join("");
  const body =
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
    `<u:AddPortMapping xmlns:u="${service}">${args}</u:AddPortMapping></s:Body></s:Envelope>`;
  return new Promise((resolve, reject) => {
    const headers = { SOAPAction: `"${service}#AddPortMapping"`, "Content-Type": "text/xml" };
    const outgoing = request(
      { host: router, port: UPNP_PORT, path: CONTROL_PATH, method: "POST", headers },
      (incoming) => {
        incoming.resume();
        incoming.on("end", () => resolve(String(incoming.statusCode)));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
