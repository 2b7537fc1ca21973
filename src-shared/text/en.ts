/** Every text of the panel, the window and the tray, in English. The CLI has its own words. */
import type { StartStep } from "../model/node-state.ts";

export const en = {
  app: "HiggsNode",
  headline: {
    stopped: "Not sharing",
    stoppedDetail: "Nothing is sent and nothing on this computer is changed.",
    starting: "Starting to share",
    step: {
      helper: "Waiting for permission to change the network…",
      inspect: "Looking at your network…",
      apply: "Setting up the exit…",
      dns: "Starting name look-ups for guests…",
      verify: "Checking that it works…",
    } satisfies Record<StartStep, string>,
    sharing: (connected: number) => `Sharing. ${people(connected)} connected`,
    unreachable: "Sharing, but nobody can find this computer yet",
    unreachableDetail: "No public address is known. Set one with: higgsnode settings set publicEndpoint=HOST:PORT",
    degraded: "Sharing, with a problem",
    recovering: "Repairing the connection",
    attempt: (attempt: number) => `Attempt ${attempt}.`,
    stopping: "Stopping",
    stoppingDetail: "Putting your network back as it was…",
    failed: "Sharing did not work",
  },
  share: { label: "Share this connection", turnOn: "Turn sharing on", turnOff: "Turn sharing off" },
  endpoint: {
    title: "Public endpoint",
    none: "Not known yet",
    copy: "Copy",
    copied: "Copied",
    source: {
      owner: "As you set it.",
      proven: "Tried from outside: it answers.",
      mapping: "Forwarded by your router.",
      uplink: "An address of this computer.",
      none: "Clients cannot find this computer until an address is known.",
    },
  },
  facts: {
    title: "Now",
    received: "From clients",
    sent: "To clients",
    ipv6: "IPv6",
    ipv6On: "On, translated",
    ipv6Off: "Off",
    ipv6Failed: "Not working",
    tunnel: "WireGuard",
    tunnelValue: (name: string, port: number) => `${name}, port ${port}`,
    since: "Since",
  },
  clients: {
    title: "Clients",
    empty: "Nobody has been given access yet. Add a client to get a QR code and a file for its WireGuard app.",
    name: "Name",
    state: "State",
    addresses: "Addresses",
    lastSeen: "Last seen",
    received: "Received",
    sent: "Sent",
    connected: "Connected",
    paused: "Paused",
    away: "Not connected",
    never: "Never",
    addLabel: "Name of the new client",
    addPlaceholder: "Anna's phone",
    add: "Add client",
    adding: "Adding…",
    show: "Show code",
    showNamed: (name: string) => `Show the QR code for ${name}`,
    pause: "Pause",
    resume: "Resume",
    pauseNamed: (name: string) => `Pause ${name}`,
    resumeNamed: (name: string) => `Resume ${name}`,
  },
  config: {
    title: (name: string) => `Configuration for ${name}`,
    once: "Scan this code with the WireGuard app, or save the file. It holds a private key: it is shown now and not kept.",
    qr: (name: string) => `QR code with the WireGuard configuration for ${name}`,
    show: "Show as text",
    save: "Save file",
    close: "Done",
  },
  connection: {
    connecting: "Connecting to the node…",
    lost: "The connection to the node is lost. Trying again…",
    lostDetail: "What you see below may be out of date. If this stays, start the node again.",
  },
  problem: { title: "Problem", dismiss: "Dismiss" },
  version: (version: string) => `Version ${version}`,
  tray: {
    share: "Share this connection",
    open: "Open the panel",
    quit: "Quit",
    connected: (connected: number) => `${people(connected)} connected`,
    unknown: "HiggsNode is starting",
  },
} as const;

export type Texts = typeof en;

function people(count: number): string {
  if (count === 0) return "Nobody";
  return count === 1 ? "1 person" : `${count} people`;
}
