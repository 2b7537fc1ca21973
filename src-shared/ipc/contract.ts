/**
 * Every call and event the interface and the CLI can use, by group, in one value. Both sides, the CLI
 * and the test doubles derive from it. Every payload is parsed at the one gate into the node; a call
 * that is not in here is refused.
 */
import { z } from "zod";
import { clientConfigSchema, clientNameSchema, clientSchema } from "../model/client.ts";
import {
  checkResultSchema,
  diagnosisSchema,
  reportSchema,
  selfTestSchema,
  selfTestStepSchema,
} from "../model/diagnosis.ts";
import { firewallTraceQuerySchema, firewallTraceSchema } from "../model/firewall-trace.ts";
import {
  healthEventSchema,
  healthHistoryQuerySchema,
  healthHistorySchema,
  healthSchema,
  uptimeDaySchema,
} from "../model/health.ts";
import { limitChangesSchema, limitListItemSchema, limitTestSchema } from "../model/limit.ts";
import { nodeStateSchema } from "../model/node-state.ts";
import {
  deletionSchema,
  exportPieceSchema,
  exportQuerySchema,
  logPageSchema,
  logQuerySchema,
  privacyStateSchema,
  storedSchema,
} from "../model/privacy.ts";
import { settingsSchema } from "../model/settings.ts";
import { trafficHistorySchema, trafficPointSchema, trafficRangeSchema, trafficTotalsSchema } from "../model/traffic.ts";

export interface CallShape<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly kind: "call";
  readonly input: I;
  readonly output: O;
}

export interface EventShape<P extends z.ZodType = z.ZodType> {
  readonly kind: "event";
  readonly payload: P;
}

function call<I extends z.ZodType, O extends z.ZodType>(input: I, output: O): CallShape<I, O> {
  return { kind: "call", input, output };
}

function event<P extends z.ZodType>(payload: P): EventShape<P> {
  return { kind: "event", payload };
}

const nothing = z.strictObject({});

/**
 * State that changes is sent whole with a revision that only grows within one run of the node
 * (`run` tells runs apart), so that a receiver can drop what arrives late.
 */
function revised<T extends z.ZodType>(value: T) {
  return z.object({ run: z.string(), revision: z.number().int().nonnegative(), value });
}

/** A client is named by its name or its id. */
const which = z.strictObject({ name: z.string().min(1).max(256) });

export const ipcContract = {
  node: {
    state: call(nothing, revised(nodeStateSchema)),
    on: call(nothing, revised(nodeStateSchema)),
    off: call(nothing, revised(nodeStateSchema)),
    /** Stops sharing and undoes whatever any earlier run left; names what could not be undone. */
    restoreNetwork: call(nothing, z.object({ left: z.array(z.string()) })),
    stateChanged: event(revised(nodeStateSchema)),
  },
  clients: {
    list: call(nothing, revised(z.array(clientSchema))),
    add: call(z.strictObject({ name: clientNameSchema }), clientSchema),
    remove: call(which, clientSchema),
    pause: call(which, clientSchema),
    resume: call(which, clientSchema),
    /**
     * `newKey` replaces the client's key: the configuration given out before stops working. `via` is the way guests
     * take: to the node itself, through its relay's UDP port, or through `higgsnode connect` on their own computer.
     */
    config: call(
      which.extend({
        newKey: z.boolean().default(false),
        via: z.enum(["direct", "relay", "websocket"]).default("direct"),
      }),
      clientConfigSchema,
    ),
    /** All of them: what a connection gets first, and whenever a delta would not be smaller. */
    changed: event(revised(z.array(clientSchema))),
    /** What became of the list of revision `base`; who holds another one asks for the list. */
    delta: event(
      z.object({
        run: z.string(),
        base: z.int().nonnegative(),
        revision: z.int().nonnegative(),
        changed: z.array(clientSchema),
        removed: z.array(z.string()),
      }),
    ),
  },
  limits: {
    /** Fields that are given replace the present ones, null removes them; answered once they hold. */
    set: call(which.extend({ changes: limitChangesSchema }), clientSchema),
    clear: call(which, clientSchema),
    list: call(nothing, z.array(limitListItemSchema)),
    /** Measures for that long, while the client is using its connection. */
    test: call(which.extend({ seconds: z.int().min(1).max(15).default(4) }), limitTestSchema),
  },
  settings: {
    get: call(nothing, revised(settingsSchema)),
    /** Fields that are given replace the present ones; a running node applies them at once. */
    set: call(z.strictObject({ changes: z.record(z.string(), z.unknown()) }), revised(settingsSchema)),
    changed: event(revised(settingsSchema)),
  },
  ports: {
    /** Asks the router again at once; answered when the outcome is known. */
    refresh: call(nothing, revised(nodeStateSchema)),
  },
  privacy: {
    get: call(nothing, privacyStateSchema),
    /** Fields that are given replace the present ones; answered once the node, the helper and what is stored follow. */
    set: call(z.strictObject({ changes: z.record(z.string(), z.unknown()) }), privacyStateSchema),
    /** Counts and sizes of what is on disk. */
    stored: call(nothing, storedSchema),
    log: call(logQuerySchema, logPageSchema),
    /** Deletes every log for good; the counts before and after are the proof. */
    purge: call(nothing, deletionSchema),
    export: call(exportQuerySchema, exportPieceSchema),
    changed: event(revised(privacyStateSchema)),
  },
  health: {
    /** Looks at everything now. */
    check: call(nothing, healthSchema),
    history: call(healthHistoryQuerySchema, healthHistorySchema),
    /** Newest day first. */
    uptime: call(z.strictObject({ days: z.int().min(1).max(366).default(30) }), z.array(uptimeDaySchema)),
    /** A new line of the history. */
    recorded: event(healthEventSchema),
  },
  traffic: {
    history: call(z.strictObject({ range: trafficRangeSchema }), trafficHistorySchema),
    totals: call(nothing, trafficTotalsSchema),
    /** The latest point of the five minutes' history, every two seconds while the node shares. */
    point: event(trafficPointSchema),
  },
  host: {
    /** What the program around the node can do. */
    facts: call(
      nothing,
      z.object({ kind: z.enum(["desktop", "headless"]), canStartAtLogin: z.boolean(), canKeepAwake: z.boolean() }),
    ),
  },
  diagnose: {
    run: call(nothing, diagnosisSchema),
    /** Ends the run that is under way; its caller gets what was finished. */
    cancel: call(nothing, nothing),
    progress: event(z.object({ done: z.number().int(), total: z.number().int(), check: checkResultSchema })),
    /** Why a guest's packet gets through or not. */
    trace: call(firewallTraceQuerySchema, firewallTraceSchema),
    /** A temporary guest goes through the exit, and is removed without a trace. */
    selfTest: call(nothing, selfTestSchema),
    selfTestProgress: event(selfTestStepSchema),
    /** A redacted bundle for a bug report; sent nowhere. */
    report: call(nothing, reportSchema),
  },
} as const;

export type IpcContract = typeof ipcContract;
export type IpcGroup = keyof IpcContract;

type Member<K extends "call" | "event"> = {
  [G in IpcGroup]: {
    [M in keyof IpcContract[G] & string]: IpcContract[G][M] extends { kind: K } ? `${G}.${M}` : never;
  }[keyof IpcContract[G] & string];
}[IpcGroup];

/** `node.on`, `clients.add`, … */
export type CallName = Member<"call">;
/** `node.stateChanged`, … */
export type EventName = Member<"event">;

type Shape<N extends string> = N extends `${infer G}.${infer M}`
  ? G extends IpcGroup
    ? M extends keyof IpcContract[G]
      ? IpcContract[G][M]
      : never
    : never
  : never;

/** What a caller hands in, before defaults are filled. */
export type CallInput<N extends CallName> = Shape<N> extends CallShape<infer I, z.ZodType> ? z.input<I> : never;
/** What a handler receives, parsed. */
export type CallParsed<N extends CallName> = Shape<N> extends CallShape<infer I, z.ZodType> ? z.output<I> : never;
export type CallOutput<N extends CallName> = Shape<N> extends CallShape<z.ZodType, infer O> ? z.output<O> : never;
export type EventPayload<N extends EventName> = Shape<N> extends EventShape<infer P> ? z.output<P> : never;

/**
 * What a node must implement: one handler per call. Failures are thrown as `HiggsFailure`.
 * `Context` is what a gate knows beside the input, such as a signal that the caller has gone.
 */
export type CallHandlers<Context> = {
  [N in CallName]: (input: CallParsed<N>, context: Context) => Promise<CallOutput<N>>;
};

export const callShapes: ReadonlyMap<string, CallShape> = shapesOf("call");
export const eventShapes: ReadonlyMap<string, EventShape> = shapesOf("event");

function shapesOf<K extends "call" | "event">(kind: K): Map<string, Extract<CallShape | EventShape, { kind: K }>> {
  const shapes = new Map<string, Extract<CallShape | EventShape, { kind: K }>>();
  for (const [group, members] of Object.entries(ipcContract)) {
    for (const [name, shape] of Object.entries(members) as [string, CallShape | EventShape][]) {
      if (shape.kind === kind) shapes.set(`${group}.${name}`, shape as Extract<CallShape | EventShape, { kind: K }>);
    }
  }
  return shapes;
}
