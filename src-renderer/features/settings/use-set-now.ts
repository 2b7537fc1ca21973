/** A setting that counts as soon as it is touched, with what went wrong beside it. */
import { useState } from "react";
import type { Settings } from "../../../src-shared/model/settings.ts";
import { useExplain } from "../../i18n/use-explain.ts";
import { useActions, useConnected, useSetting } from "../../store/hooks.ts";

export interface NowSetting<K extends keyof Settings> {
  readonly value: Settings[K];
  /** Asked for, and not confirmed by the node. */
  readonly predicted: boolean;
  readonly disabled: boolean;
  readonly error: string | undefined;
  readonly set: (value: Settings[K]) => void;
}

export function useSetNow<K extends keyof Settings>(key: K): NowSetting<K> {
  const { setSettings } = useActions();
  const { explain } = useExplain();
  const connected = useConnected();
  const shown = useSetting(key);
  const [error, setError] = useState<string>();
  async function set(value: Settings[K]) {
    setError(undefined);
    const answer = await setSettings({ [key]: value });
    if (!answer.ok) setError(explain(answer.error));
  }
  return { ...shown, disabled: !connected, error, set: (value) => void set(value) };
}
