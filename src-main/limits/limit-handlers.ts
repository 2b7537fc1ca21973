/** What the `limits` calls of the contract do. */
import type { Clock } from "../../src-shared/clock.ts";
import type { CallHandlers } from "../../src-shared/ipc/contract.ts";
import type { Client } from "../../src-shared/model/client.ts";
import type { ClientLimit } from "../../src-shared/model/limit.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import type { ObservedLimit } from "../../src-shared/network-observation.ts";
import { fail, HiggsFailure, type Result, unwrap } from "../../src-shared/result.ts";
import type { ClientRecord } from "../clients/client-record.ts";
import type { ClientRegistry } from "../clients/client-registry.ts";
import type { CallContext } from "../ipc/node-api.ts";
import type { ClientRateLimiter } from "./client-rate-limiter.ts";
import { testLimit } from "./limit-test.ts";
import { totalOf } from "./limits-contribution.ts";

export interface LimitParts {
  clock: Clock;
  limiter: ClientRateLimiter;
  registry: ClientRegistry;
  settings: () => Settings;
  /** Resolves once what was changed is in the kernel. */
  settle: () => Promise<unknown>;
  /** Error: `not-sharing`, and what the helper says. */
  observeLimit: (classId: number) => Promise<Result<ObservedLimit>>;
  shown: (record: ClientRecord) => Client;
}

type LimitCalls = Extract<keyof CallHandlers<CallContext>, `limits.${string}`>;

export function limitHandlers(parts: LimitParts): Pick<CallHandlers<CallContext>, LimitCalls> {
  const { limiter, registry } = parts;

  /** Answered once the kernel has it; what the machine refuses is not kept. */
  async function change(name: string, action: (client: ClientRecord) => Result<unknown>): Promise<Client> {
    const client = unwrap(registry.find(name));
    const before: ClientLimit = limiter.limitOf(client.id);
    const refusedBefore = limiter.refusal?.code;
    unwrap(action(client));
    await parts.settle();
    const { refusal } = limiter;
    if (refusal !== undefined && refusal.code !== refusedBefore) {
      unwrap(limiter.putBack(client.id, before));
      await parts.settle();
      throw new HiggsFailure(refusal);
    }
    return parts.shown(unwrap(registry.find(client.id)));
  }

  return {
    "limits.set": ({ name, changes }) =>
      change(name, (client) => limiter.setClientLimit({ clientId: client.id, ...changes })),
    "limits.clear": ({ name }) => change(name, (client) => limiter.removeClientLimit(client.id)),
    "limits.list": async () =>
      registry.list().flatMap((record) => {
        const described = limiter.describe(record);
        return described.limit === undefined ? [] : { id: record.id, name: record.name, ...described };
      }),
    "limits.test": async ({ name, seconds }) => {
      const client = unwrap(registry.find(name));
      const effective = limiter.effectiveOf(client.id);
      if (client.paused || effective.state.startsWith("paused")) {
        throw new HiggsFailure(fail("client-paused", `${client.name} has no access at present.`).error);
      }
      if (effective.down === undefined && effective.up === undefined) {
        const hint = "Set one with: higgsnode limit set NAME --down 10mbit --up 5mbit";
        throw new HiggsFailure(fail("no-limit", `${client.name} is not limited at present.`, hint).error);
      }
      const tested = unwrap(
        await testLimit({
          clock: parts.clock,
          seconds,
          limits: {
            down: belowTotal(effective.down, totalOf(parts.settings(), "down")),
            up: belowTotal(effective.up, totalOf(parts.settings(), "up")),
          },
          read: () => parts.observeLimit(client.hostNumber),
        }),
      );
      return { name: client.name, seconds, ...tested };
    },
  };
}

function belowTotal(limit: number | undefined, total: number | undefined): number | undefined {
  return limit === undefined || total === undefined ? limit : Math.min(limit, total);
}
