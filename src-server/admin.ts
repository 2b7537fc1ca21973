/** The operator's side: `/healthz` and `/metrics` on an address of its own, loopback by default. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { errorOf, fail, ok, type Result } from "../src-shared/result.ts";

export interface Health {
  readonly ok: boolean;
  readonly body: string;
}

export class Admin {
  #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Fails with `listen-failed`. */
  static async open(
    listen: { readonly host: string; readonly port: number },
    registry: Registry,
    health: () => Health,
  ): Promise<Result<Admin>> {
    const server = createServer((request, response) => {
      const path = request.url?.split("?")[0];
      if (path === "/healthz") {
        const { ok: healthy, body } = health();
        response.writeHead(healthy ? 200 : 503, { "content-type": "application/json" }).end(body);
      } else if (path === "/metrics") {
        registry.metrics().then(
          (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
          () => response.writeHead(500).end(),
        );
      } else {
        response.writeHead(404).end();
      }
    });
    // An operator's scraper and a browser tab; anything more is a mistake.
    server.maxConnections = 32;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ ...listen, exclusive: true }, resolve);
      });
    } catch (error) {
      return fail("listen-failed", `cannot listen on ${listen.host} port ${listen.port}: ${errorOf(error).message}`);
    }
    return ok(new Admin(server));
  }

  get address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
