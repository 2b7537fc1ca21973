/** The verbs of the diagnosis, as a platform must have them, and how a request becomes a call. */
import type { z } from "zod";
import type {
  DiagnosticVerb,
  diagnosticVerbs,
  FirewallText,
  GuestAnswer,
  GuestQuestion,
  PathMtu,
  RouteLookup,
} from "../src-shared/helper/diagnostics.ts";
import { fail, ok, type Result } from "../src-shared/result.ts";

export interface RouteQuestion {
  to: string;
  from?: string | undefined;
  interfaceName?: string | undefined;
}

export interface DiagnosticBackend {
  readFirewall(): Promise<FirewallText>;
  lookUpRoute(question: RouteQuestion): Promise<RouteLookup>;
  pathMtu(to: string): Promise<PathMtu>;
  /** Errors: `test-guest-busy`, `not-sharing`, `test-guest-refused`. */
  openTestGuest(
    addresses: readonly string[],
  ): Promise<Result<{ publicKey: string; implementation: "kernel" | "userspace" }>>;
  /** Error: `no-test-guest`. */
  askTestGuest(question: GuestQuestion): Promise<Result<GuestAnswer>>;
  /** Idempotent. Returns what could not be removed. */
  closeTestGuest(): Promise<string[]>;
}

export type DiagnosticRequest = {
  [V in DiagnosticVerb]: { verb: V; params: z.output<(typeof diagnosticVerbs)[V]["params"]> };
}[DiagnosticVerb];

/** @param inTurn runs what must not overlap with a change of the network */
export async function performDiagnostic(
  backend: DiagnosticBackend | undefined,
  request: DiagnosticRequest,
  inTurn: <T>(action: () => Promise<T>) => Promise<T>,
): Promise<Result<unknown>> {
  if (backend === undefined) return fail("not-supported", "This platform's helper cannot do that yet.");
  switch (request.verb) {
    case "read-firewall":
      return ok(await inTurn(() => backend.readFirewall()));
    case "look-up-route":
      return ok(await backend.lookUpRoute(request.params));
    case "path-mtu":
      return ok(await backend.pathMtu(request.params.to));
    case "open-test-guest":
      return inTurn(() => backend.openTestGuest(request.params.addresses));
    case "ask-test-guest":
      return backend.askTestGuest(request.params.question);
    case "close-test-guest":
      return ok({ left: await inTurn(() => backend.closeTestGuest()) });
  }
}
