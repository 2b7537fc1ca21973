/** Addresses and times that scripted states have in common. */

/** Public space on purpose, as in the lab: addresses for documentation do not count as public. */
export const PUBLIC_ADDRESS = "11.22.33.2";
export const ENDPOINT = { host: PUBLIC_ADDRESS, port: 51820 };

/** RFC 3339, that long before now. */
export function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1_000).toISOString();
}

export function ahead(seconds: number): string {
  return ago(-seconds);
}
