/** What each setting is about, for `higgsnode settings set --help`. */
import type { Settings } from "../../src-shared/model/settings.ts";

const MEANINGS: Readonly<Record<keyof Settings, string>> = {
  listenPort: "UDP port of the tunnel",
  mtu: "largest packet in the tunnel, bytes: 1280 to 1500",
  guestIpv4: "guests' IPv4 network: auto, or such as 10.66.0.0/16",
  guestIpv6: "guests' IPv6 network: auto, off, or such as fd12:3456:789a::/64",
  guestIpv6Mode: "how guests leave over IPv6: auto, nptv6 or nat66",
  guestIpv6Prefix: "IPv6 prefix that is routed to this computer: auto, or such as 2001:db8:1::/64",
  publicEndpoint: "where guests find you: auto, or such as home.example.org:51820",
  allowedDestinations: `what guests may reach at home: '[{"destination":"192.168.1.5/32","port":631}]'`,
  blockedPorts: "none, standard (spam mail) or strict (all mail, file sharing, remote control)",
  egressTargets: "addresses tried as a sign of internet: '[1.1.1.1:443,9.9.9.9:443]'",
  keepClientKeys: "keep clients' private keys, so that a configuration can be shown again: true or false",
  portMapping: "ask the router to open the port: auto or off",
  relayMode: "use the relays that are named: auto or off",
  relayServers: "relays: '[wss://relay.example.org]'",
  relayCaFile: "PEM file with the authority of relays that the system does not know",
  relayAllowPlain: "take ws:// to other computers: true or false",
  language: "of panel, tray and notifications: system, en or ru",
  theme: "of the panel: system, light or dark",
  startAtLogin: "start with your session, in the desktop app: true or false",
  keepAwake: "keep a computer on mains power awake while guests are connected: true or false",
  welcomed: "the panel's welcome has been seen: true or false",
  loggingPaused: "keep nothing for now: true or false",
  logTraffic: "keep amounts per client and minute: true or false",
  logDNS: "keep names that guests look up: true or false",
  logMetadata: "keep who connected where and when: true or false",
  anonymizeIPs: "shorten the addresses that are kept: true or false",
  maxLogRetention: "days after which all that is deleted: 1 to 365",
  totalRate: "what all guests together may use, down/up: 50mbit/10mbit; null for all there is",
  uplinkRate: "what your connection has, down/up: 100mbit/20mbit; null where you do not know",
  householdFirst: "guests take what the home leaves of uplinkRate: true or false",
};

/** One line for each setting, below a heading. */
export function settingMeanings(): string {
  const width = Math.max(...Object.keys(MEANINGS).map((name) => name.length));
  const lines = Object.entries(MEANINGS).map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`);
  return ["", "Settings:", ...lines].join("\n");
}
