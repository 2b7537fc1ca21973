/** The tunnel itself. */
import { createSocket } from "node:dgram";
import { type Check, failed, pass, skipped, whileSharing, withMachine } from "../check.ts";

const REAPPLY = "Switch sharing off and on again: higgsnode off && higgsnode on";

const networkInterface: Check = {
  id: "wireguard.interface",
  group: "wireguard",
  title: "The tunnel interface is up",
  run: (context) =>
    whileSharing(context, ({ plan }, { observation }) => {
      const { interfaceName, listenPort } = plan.spec.wireguard;
      const seen = observation.wireguard;
      if (seen.state === "absent") return failed(`${interfaceName} does not exist.`, REAPPLY);
      if (seen.state === "broken") return failed(`${interfaceName}: ${seen.reason}.`, REAPPLY);
      if (!seen.up) return failed(`${interfaceName} is down.`, `sudo ip link set ${interfaceName} up`);
      if (seen.listenPort !== listenPort)
        return failed(`It listens on port ${seen.listenPort}, not ${listenPort}.`, REAPPLY);
      return pass(`${interfaceName} (${seen.implementation}), UDP port ${seen.listenPort}, MTU ${seen.mtu}.`);
    }),
};

const peers: Check = {
  id: "wireguard.clients",
  group: "wireguard",
  title: "Every client is set up in the tunnel",
  run: (context) =>
    whileSharing(context, ({ plan }, { observation }) => {
      const seen = observation.wireguard;
      if (seen.state !== "present") return skipped("There is no tunnel interface.");
      const present = new Set(seen.peers.map(({ publicKey }) => publicKey));
      const missing = plan.spec.wireguard.peers.filter(({ publicKey }) => !present.has(publicKey));
      if (missing.length > 0)
        return failed(`${missing.length} of ${plan.spec.wireguard.peers.length} are missing.`, REAPPLY);
      return pass(`${plan.spec.wireguard.peers.length} set up.`);
    }),
};

const port: Check = {
  id: "wireguard.port",
  group: "wireguard",
  title: "The WireGuard port is free, or ours",
  run: (context) =>
    withMachine(context, async ({ observation }) => {
      const { listenPort } = context.settings;
      const seen = observation.wireguard;
      if (seen.state === "present" && seen.listenPort === listenPort) return pass(`UDP ${listenPort} is ours.`);
      const refusal = await tryToBind(listenPort);
      if (refusal === undefined) return pass(`UDP ${listenPort} is free.`);
      // The helper may take it all the same, as a port below 1024.
      if (refusal !== "EADDRINUSE") return skipped(`UDP ${listenPort} could not be tried (${refusal}).`);
      return failed(
        `UDP ${listenPort} is used by another program.`,
        "Stop that program, or choose another port: higgsnode settings set listenPort=51821",
      );
    }),
};

/** Holds the port for a moment; the error's code where that is refused. */
function tryToBind(listenPort: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", (error) => {
      socket.close();
      resolve("code" in error ? String(error.code) : error.message);
    });
    socket.bind({ port: listenPort, exclusive: true }, () => socket.close(() => resolve(undefined)));
  });
}

export const wireguardChecks: readonly Check[] = [port, networkInterface, peers];
