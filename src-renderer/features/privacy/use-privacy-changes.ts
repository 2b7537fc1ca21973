/** Changes of the privacy settings: what was asked for is shown, marked, until the node has answered. */
import { useState } from "react";
import type { PrivacySettings } from "../../../src-shared/model/privacy.ts";
import type { HiggsError } from "../../../src-shared/result.ts";
import { useActions } from "../../store/hooks.ts";

type Key = keyof PrivacySettings;

export interface PrivacyChanges {
  /** The settings with what was asked for. */
  readonly shown: PrivacySettings;
  readonly isAsked: (key: Key) => boolean;
  readonly errorOf: (key: Key) => HiggsError | undefined;
  /** Resolves whether the node took it. */
  readonly change: <K extends Key>(key: K, value: PrivacySettings[K]) => Promise<boolean>;
}

export function usePrivacyChanges(settings: PrivacySettings): PrivacyChanges {
  const { call } = useActions();
  const [asked, setAsked] = useState<Partial<PrivacySettings>>({});
  const [errors, setErrors] = useState<Partial<Record<Key, HiggsError>>>({});
  return {
    shown: { ...settings, ...asked },
    isAsked: (key) => key in asked,
    errorOf: (key) => errors[key],
    async change(key, value) {
      setAsked((held) => ({ ...held, [key]: value }));
      setErrors((held) => without(held, key));
      const answer = await call("privacy.set", { changes: { [key]: value } });
      setAsked((held) => without(held, key));
      if (!answer.ok) setErrors((held) => ({ ...held, [key]: answer.error }));
      return answer.ok;
    },
  };
}

function without<T extends object>(record: T, key: keyof T): T {
  const { [key]: _, ...rest } = record;
  return rest as T;
}
