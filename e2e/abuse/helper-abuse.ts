/**
 * Talks to the helper of this host as somebody would who owns the unprivileged side: prints, as JSON, what came
 * back for each message and whether the helper hung up.
 */
import { readFileSync } from "node:fs";
import { connect } from "node:net";

const FOLDER = "/run/higgsnode/0";
/** The helper answers at once or has hung up; a loaded machine gets longer. */
const ANSWER_TIMEOUT_MS = 10_000;

export interface Outcome {
  code: string | null;
  hungUp: boolean;
}

const token = readFileSync(`${FOLDER}/helper.token`, "utf8");
const hello = (given: string) => JSON.stringify({ id: 1, verb: "hello", params: { protocol: 1, token: given } });
const request = (verb: string, params: unknown) => JSON.stringify({ id: 2, verb, params });

const spec = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as {
  wireguard: { interfaceName: string; peers: { publicKey: string; allowedIps: string[] }[] };
  exit: { uplinks: string[] };
  guests: { ipv4: string };
};

const cases: Record<string, string[]> = {
  "wrong token": [hello("0".repeat(64))],
  "no hello": [request("restore", {})],
  "hello of 2 kB": [hello("x".repeat(2048))],
  "10 MB": [hello(token), `{"id":2,"verb":"apply","params":"${"x".repeat(10 * 1024 * 1024)}"}`],
  "truncated JSON": [hello(token), '{"id":2,"verb":"apply","params":{'],
  "unknown verb": [hello(token), request("run", { command: "reboot" })],
  "prototype verb": [hello(token), request("__proto__", {})],
  "interface ../x": [hello(token), request("apply", { spec: withInterface("../x") })],
  "interface eth0": [hello(token), request("apply", { spec: withInterface("eth0") })],
  "uplink ../../kernel": [
    hello(token),
    request("apply", { spec: { ...spec, exit: { ...spec.exit, uplinks: ["../../x"] } } }),
  ],
  "public guest prefix": [
    hello(token),
    request("apply", { spec: { ...spec, guests: { ...spec.guests, ipv4: "11.22.0.0/16" } } }),
  ],
  "unknown field": [hello(token), request("apply", { spec: { ...spec, postUp: "reboot" } })],
  "newline in a prefix": [
    hello(token),
    request("apply", {
      spec: {
        ...spec,
        isolation: {
          blockedDestinations: ["10.0.0.0/8\n-A INPUT -j ACCEPT"],
          allowedDestinations: [],
          blockedPorts: [],
        },
      },
    }),
  ],
  "allowed IPs of everybody": [
    hello(token),
    request("apply", {
      spec: {
        ...spec,
        wireguard: {
          ...spec.wireguard,
          peers: [{ publicKey: "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=", allowedIps: ["0.0.0.0/0"] }],
        },
      },
    }),
  ],
  "second controller": [hello(token), request("apply", { spec })],
};

function withInterface(interfaceName: string): unknown {
  return { ...spec, wireguard: { ...spec.wireguard, interfaceName } };
}

const outcomes: Record<string, Outcome> = {};
for (const [name, lines] of Object.entries(cases)) outcomes[name] = await attempt(lines);
process.stdout.write(`${JSON.stringify(outcomes)}\n`);

/** Sends the lines and waits until each is answered, or the helper hangs up. */
function attempt(lines: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const socket = connect(`${FOLDER}/helper.sock`);
    let text = "";
    let last: string | null = null;
    const end = (hungUp: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ code: last, hungUp });
    };
    const timer = setTimeout(() => reject(new Error("the helper neither answered nor hung up")), ANSWER_TIMEOUT_MS);
    socket.setEncoding("utf8");
    socket.on("connect", () => {
      for (const line of lines) socket.write(`${line}\n`);
    });
    socket.on("data", (chunk: string) => {
      text += chunk;
      const answers = text.split("\n").slice(0, -1);
      for (const answer of answers) {
        const { ok, error } = JSON.parse(answer) as { ok: boolean; error?: { code: string } };
        last = ok ? null : (error?.code ?? "?");
      }
      // A refusal without an id is followed by the end of the connection; everything else is the answer to the last line.
      if (answers.length === lines.length && !text.includes('"id":null')) end(false);
    });
    socket.on("error", () => end(true));
    socket.on("close", () => end(true));
  });
}
