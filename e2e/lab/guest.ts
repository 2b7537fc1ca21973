/**
 * Somebody's laptop out in the internet, with the WireGuard client every distribution ships: wg-quick(8) brings up
 * the configuration it is given, unmodified. Where the kernel has no WireGuard, wg-quick itself falls back to wireguard-go.
 */
import { INTERNET } from "./addresses.ts";
import { InternetUser } from "./internet-user.ts";
import type { LabHost } from "./lab-host.ts";
import { poll } from "./poll.ts";
import type { Addresses } from "./wiring.ts";

const INTERFACE = "wg0";
const CONFIGURATION = `/etc/wireguard/${INTERFACE}.conf`;
/** wg-quick calls two dozen programs one after another. */
const WG_QUICK_TIMEOUT_MS = 30_000;
/** WireGuard repeats an unanswered handshake after 5 s (REKEY_TIMEOUT); this leaves room for two repeats. */
const HANDSHAKE_TIMEOUT_MS = 12_000;

/**
 * As much of resolvconf(8) as wg-quick uses: `-a IFACE` takes a resolv.conf from standard input, `-d IFACE` drops it.
 */
const RESOLVCONF = `#!/bin/sh
set -e
kept=/run/resolvconf-before
case "$1" in
  -a) [ -e "$kept" ] || cp /etc/resolv.conf "$kept"; cat > /etc/resolv.conf ;;
  -d) if [ -e "$kept" ]; then cat "$kept" > /etc/resolv.conf; rm "$kept"; fi ;;
  *) echo "resolvconf: unknown option $1" >&2; exit 1 ;;
esac
`;

export class Guest extends InternetUser {
  /** Its addresses in the internet, not those in the tunnel. */
  readonly addresses: Addresses;
  #path: string;

  private constructor(host: LabHost, addresses: Addresses, path: string) {
    super(host);
    this.addresses = addresses;
    this.#path = path;
  }

  static async on(host: LabHost, addresses: Addresses): Promise<Guest> {
    const shim = host.writePrivateFile("bin/resolvconf", RESOLVCONF, 0o755);
    // wg-quick looks beside itself first, where the machine's own resolvconf may be: it would ask a daemon that is not here.
    const cover =
      'for place in /usr/bin /usr/sbin; do [ ! -e "$place/resolvconf" ] || mount --bind "$1" "$place/resolvconf"; done';
    await host.mustExec(["sh", "-c", cover, "sh", shim]);
    return new Guest(host, addresses, `${host.folder}/bin`);
  }

  /** Brings the tunnel up from the text of a configuration file. Throws with everything wg-quick printed. */
  async up(configuration: string): Promise<void> {
    await this.host.writeFile(CONFIGURATION, configuration, 0o600);
    await this.#wgQuick("up");
  }

  async down(): Promise<void> {
    await this.#wgQuick("down");
  }

  /** Seconds since the last handshake; undefined before the first. */
  async handshakeAge(): Promise<number | undefined> {
    const printed = await this.host.mustExec(["wg", "show", INTERFACE, "latest-handshakes"]);
    const latest = Number(printed.trim().split(/\s+/)[1] ?? 0);
    return latest === 0 ? undefined : Math.max(0, Date.now() / 1000 - latest);
  }

  /** Waits for the first handshake, and sends what brings it about: WireGuard is silent until there is traffic. */
  async waitForHandshake(timeoutMs = HANDSHAKE_TIMEOUT_MS): Promise<void> {
    const look = async () => {
      const age = await this.handshakeAge();
      if (age === undefined) await this.ping(INTERNET.web.ipv4);
      return age;
    };
    await poll(`a handshake of ${this.host.name}`, look, { timeoutMs });
  }

  /** Bytes through the tunnel since it came up, as the client counts them. */
  async transferred(): Promise<{ receivedBytes: number; sentBytes: number }> {
    const printed = await this.host.mustExec(["wg", "show", INTERFACE, "transfer"]);
    const [, received, sent] = printed.trim().split(/\s+/);
    return { receivedBytes: Number(received ?? 0), sentBytes: Number(sent ?? 0) };
  }

  async #wgQuick(verb: "up" | "down"): Promise<void> {
    const path = `${this.#path}:${this.host.environment().PATH}`;
    await this.host.mustExec(["wg-quick", verb, CONFIGURATION], {
      timeoutMs: WG_QUICK_TIMEOUT_MS,
      env: { PATH: path },
    });
  }
}
