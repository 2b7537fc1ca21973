/** One call at a time from a component, with what there is to show of it. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { CallInput, CallName, CallOutput } from "../../src-shared/ipc/contract.ts";
import type { Result } from "../../src-shared/result.ts";
import { useActions, useConnected, usePanel } from "./hooks.ts";
import type { KeptCall, Run, Runs } from "./runs.ts";

export interface Request<N extends CallName> extends Run<N> {
  /** Calls the node; what an older call answers after that is dropped. */
  readonly run: (input: CallInput<N>) => Promise<Result<CallOutput<N>>>;
}

/** A call that goes on, and whose value stays, while other screens are shown. */
export function useRun<N extends KeptCall>(name: N): Runs[N] & { run: () => void } {
  const { call } = useActions();
  const shown = usePanel(({ runs }) => runs[name]);
  const run = useCallback(() => void call<KeptCall>(name, {}), [call, name]);
  return { run, ...shown };
}

export function useRequest<N extends CallName>(name: N): Request<N> {
  const { call } = useActions();
  const latest = useRef(0);
  const [shown, setShown] = useState<Omit<Request<N>, "run">>({ busy: false, error: undefined, value: undefined });
  const run = useCallback(
    async (input: CallInput<N>) => {
      const mine = ++latest.current;
      setShown(({ value }) => ({ busy: true, error: undefined, value }));
      const answer = await call(name, input);
      if (mine === latest.current) {
        setShown(({ value }) =>
          answer.ok
            ? { busy: false, error: undefined, value: answer.value }
            : { busy: false, error: answer.error, value },
        );
      }
      return answer;
    },
    [call, name],
  );
  return { run, ...shown };
}

/** Calls the node as soon as it is connected, and again whenever `input` changes or the connection is back. */
export function useLoaded<N extends CallName>(name: N, input: CallInput<N>): Request<N> & { reload: () => void } {
  const request = useRequest(name);
  const connected = useConnected();
  const { run } = request;
  const key = JSON.stringify(input);
  const reload = useCallback(() => void run(JSON.parse(key) as CallInput<N>), [run, key]);
  useEffect(() => {
    if (connected) reload();
  }, [connected, reload]);
  return { ...request, reload };
}
