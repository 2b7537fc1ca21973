import type { Endpoint } from "../../src-shared/net/endpoint.ts";

/** Where a guest's local bridge listens unless it is told otherwise: beside WireGuard's own default port. */
export const BRIDGE_ENDPOINT: Endpoint = { host: "127.0.0.1", port: 51821 };
