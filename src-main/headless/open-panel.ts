/** A panel that listens beyond loopback: what the owner must have given for it, checked before anything listens. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { createSecureContext } from "node:tls";
import { containsAddress, parseAddress, prefix } from "../../src-shared/net/address.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { hashPassword, type PasswordSource, savedPassword } from "./panel-password.ts";

export interface PanelListen {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
}

export interface OpenPanel {
  /** The IP address to listen on. */
  readonly host: string;
  /** Null where the owner asked for a panel without encryption. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  /** Whether browsers may call this computer by that name. */
  readonly isOurName: (name: string) => boolean;
  readonly password: PasswordSource;
}

export interface OpenPanelOptions {
  readonly listen: PanelListen;
  readonly dataDir: string;
  /** PEM files. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly insecure?: boolean | undefined;
  /** Further names, such as that of a reverse proxy. */
  readonly names?: readonly string[] | undefined;
  /** In place of the saved one. */
  readonly password?: string | undefined;
}

const LOOPBACK = [prefix("127.0.0.0/8"), prefix("::1/128")];

/** `ADDRESS:PORT` with an IP address, IPv6 in brackets; undefined for anything else. Port 0 takes any that is free. */
export function parsePanelListen(text: string): PanelListen | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([0-9.]{7,15})):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || parseAddress(host) === undefined || !(port <= 65_535)) return undefined;
  return { host, port };
}

export function isLoopback(host: string): boolean {
  const address = parseAddress(host);
  return address !== undefined && LOOPBACK.some((loopback) => containsAddress(loopback, address));
}

/**
 * Errors: `panel-not-encrypted` without certificate and without the owner's word that it may be so, `panel-tls-incomplete`,
 * `panel-tls-unusable`, `panel-password-missing`, and those of `hashPassword`.
 */
export async function prepareOpenPanel(options: OpenPanelOptions): Promise<Result<OpenPanel>> {
  const tls = readTls(options);
  if (!tls.ok) return tls;
  const password = await passwordOf(options);
  if (!password.ok) return password;
  const own = new Set([hostname(), `${hostname()}.local`, "localhost", ...(options.names ?? [])].map(lower));
  const certificate = tls.value === null ? undefined : new X509Certificate(tls.value.cert);
  return ok({
    host: options.listen.host,
    tls: tls.value,
    password: password.value,
    // An address cannot be rebound; a name can, unless it is one of ours.
    isOurName: (name) =>
      parseAddress(name.replace(/^\[(.*)\]$/, "$1")) !== undefined ||
      own.has(name) ||
      certificate?.checkHost(name) !== undefined,
  });
}

function readTls({ cert, key, insecure }: OpenPanelOptions): Result<OpenPanel["tls"]> {
  if (cert === undefined && key === undefined) {
    if (insecure === true) return ok(null);
    return fail(
      "panel-not-encrypted",
      "A panel that others on the network can reach needs encryption.",
      "Give it a certificate with --panel-cert and --panel-key, or say --panel-insecure where the network is yours alone.",
    );
  }
  if (cert === undefined || key === undefined) {
    return fail("panel-tls-incomplete", "--panel-cert and --panel-key belong together.", "Give both.");
  }
  try {
    const read = { cert: readFileSync(cert), key: readFileSync(key) };
    // Notices what is no certificate, and a key that is not its key.
    createSecureContext(read);
    return ok(read);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    return fail(
      "panel-tls-unusable",
      `The panel's certificate or key cannot be used: ${reason}.`,
      "Name PEM files that belong together and that this user can read.",
    );
  }
}

async function passwordOf({ password, dataDir }: OpenPanelOptions): Promise<Result<PasswordSource>> {
  if (password !== undefined) {
    const hash = await hashPassword(password);
    return hash.ok ? ok({ hash: () => hash.value }) : hash;
  }
  const saved = savedPassword(dataDir);
  if (saved.hash() !== undefined) return ok(saved);
  return fail(
    "panel-password-missing",
    "A panel that others on the network can reach needs a password.",
    "Set one with: higgsnode panel password",
  );
}

function lower(text: string): string {
  return text.toLowerCase();
}
