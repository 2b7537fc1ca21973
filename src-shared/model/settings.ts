/** What the owner can set. Each field has its default, so that an empty file is a valid one. */
import { z } from "zod";
import { parsePrefix, prefixSchema } from "../net/address.ts";
import { endpointSchema, parseEndpoint, portSchema } from "../net/endpoint.ts";
import { isGlobalUnicast } from "../net/global-unicast.ts";
import { isLoopbackHost, parseRelayUrl, relayUrlSchema } from "../net/relay-url.ts";
import { isUsableGuestPrefix } from "../network-spec.ts";
import { limitFields } from "./limit.ts";
import { privacyFields } from "./privacy.ts";

function guestPrefixSchema(family: 4 | 6, message: string) {
  return prefixSchema.refine((text) => {
    const parsed = parsePrefix(text);
    return parsed !== undefined && parsed.family === family && isUsableGuestPrefix(parsed);
  }, message);
}

export const allowedDestinationSettingSchema = z.strictObject({
  destination: prefixSchema,
  protocol: z.enum(["tcp", "udp"]).optional(),
  port: portSchema.optional(),
});

export const settingsSchema = z
  .strictObject({
    listenPort: portSchema.default(51820),
    mtu: z.int().min(1280).max(1500).default(1420),
    /** `auto` takes 10.66.0.0/16, or the next free private /16 where that collides. */
    guestIpv4: z
      .union([z.literal("auto"), guestPrefixSchema(4, "must be a private IPv4 prefix of length 16 to 30")])
      .default("auto"),
    /**
     * `auto` makes a random unique local /64 once (RFC 4193) and keeps it. A global prefix is one that is routed to this
     * computer: guests then have addresses of their own.
     */
    guestIpv6: z
      .union([
        z.literal("auto"),
        z.literal("off"),
        guestPrefixSchema(6, "must be a unique local or global IPv6 prefix of length 64 to 120"),
      ])
      .default("auto"),
    /** `auto` translates to a prefix where this computer has one to give (`nptv6`), else to its one address (`nat66`). */
    guestIpv6Mode: z.enum(["auto", "nptv6", "nat66"]).default("auto"),
    /** A global prefix that is routed to this computer, to which guests' addresses are translated. */
    guestIpv6Prefix: z
      .union([
        z.literal("auto"),
        prefixSchema.refine((text) => {
          const parsed = parsePrefix(text);
          return parsed !== undefined && isGlobalUnicast(parsed);
        }, "must be a global IPv6 prefix"),
      ])
      .default("auto"),
    /** Where guests reach this node, where the owner knows better than the node: `host:port`. */
    publicEndpoint: z
      .union([
        z.literal("auto"),
        endpointSchema,
        z.string().refine((text) => parseEndpoint(text) !== undefined, "must be host:port"),
      ])
      .transform((value) => (typeof value === "string" && value !== "auto" ? parseEndpoint(value) : value))
      .pipe(z.union([z.literal("auto"), endpointSchema]))
      .default("auto"),
    /** Home network destinations guests may reach all the same. */
    allowedDestinations: z.array(allowedDestinationSettingSchema).max(64).default([]),
    /** `standard` refuses TCP 25; `strict` also the other mail, file-sharing and remote-desktop ports. */
    blockedPorts: z.enum(["none", "standard", "strict"]).default("standard"),
    /** Addresses with port that the diagnosis tries to reach, as a sign that the internet is there. */
    egressTargets: z
      .array(z.string().refine((text) => parseEndpoint(text) !== undefined, "must be address:port"))
      .max(8)
      .default(["1.1.1.1:443", "9.9.9.9:443", "[2606:4700:4700::1111]:443", "[2620:fe::fe]:443"]),
    /** Keep the private keys made for clients, so that their configuration can be shown again. */
    keepClientKeys: z.boolean().default(false),
    /** `auto`: has the home router forward the WireGuard port while the node shares. */
    portMapping: z.enum(["auto", "off"]).default("auto"),
    /** `auto`: connected while the node shares and at least one relay is named. */
    relayMode: z.enum(["auto", "off"]).default("auto"),
    /** Relays this node may be reached through, `wss://host`; the nearest that answers is taken. */
    relayServers: z.array(relayUrlSchema).max(8).default([]),
    /** PEM file with the authority of relays that are not known to the system; empty for none. */
    relayCaFile: z.string().max(4096).default(""),
    /** Take `ws://` to other machines, for a network of one's own. */
    relayAllowPlain: z.boolean().default(false),
    /** The language of panel, tray and notifications. */
    language: z.enum(["system", "en", "ru"]).default("system"),
    theme: z.enum(["system", "light", "dark"]).default("system"),
    /** Start with the owner's session, where the host can. */
    startAtLogin: z.boolean().default(false),
    /** Keep a computer on mains power awake while guests are connected, where the host can. */
    keepAwake: z.boolean().default(true),
    /** Whether the owner has gone through the welcome, or dismissed it. */
    welcomed: z.boolean().default(false),
    /** Nothing is logged for now, whatever the log settings say. */
    loggingPaused: z.boolean().default(false),
    ...privacyFields,
    ...limitFields,
  })
  .superRefine(({ relayServers, relayAllowPlain }, context) => {
    const isOpen = relayServers.some((text) => {
      const url = parseRelayUrl(text);
      return url !== undefined && !url.secure && !isLoopbackHost(url.host);
    });
    if (isOpen && !relayAllowPlain) {
      context.addIssue({
        code: "custom",
        path: ["relayServers"],
        message: "ws:// to other machines needs relayAllowPlain=true",
      });
    }
  });

export type Settings = z.infer<typeof settingsSchema>;

export const DEFAULT_SETTINGS: Settings = settingsSchema.parse({});
