/**
 * A group of fields that is saved together: what is being written stays in the page until Save, and a field shows what
 * the node holds as long as nobody touches it.
 */
import { useState } from "react";
import type { Settings } from "../../../src-shared/model/settings.ts";
import type { HiggsError } from "../../../src-shared/result.ts";
import { useI18n } from "../../i18n/i18n.tsx";
import { useActions } from "../../store/hooks.ts";
import type { FieldProblem, Parsed } from "./settings-form.ts";

export interface Draft<D> {
  readonly values: D;
  readonly edit: (changes: Partial<D>) => void;
  readonly changed: boolean;
  readonly busy: boolean;
  /** What the node answered to the last attempt. */
  readonly failure: HiggsError | undefined;
  /** What is wrong with a field, once saving was tried. */
  readonly errorOf: (field: keyof D) => FieldProblem | undefined;
  readonly save: () => Promise<void>;
  readonly undo: () => void;
}

/** Each field as settings, or what is wrong with it. */
export type FieldParsers<D> = { readonly [F in keyof D]: (values: D) => Parsed<Partial<Settings>> };

/** @param held what the node holds, as the fields would write it */
export function useDraft<D extends object>(held: D, parsers: FieldParsers<D>): Draft<D> {
  const { t } = useI18n();
  const { setSettings, notify } = useActions();
  const [edits, setEdits] = useState<Partial<D>>({});
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<HiggsError>();
  const values: D = { ...held, ...edits };
  const fields = Object.keys(held) as (keyof D)[];
  const touched = fields.filter((field) => values[field] !== held[field]);

  function undo() {
    setEdits({});
    setTried(false);
    setFailure(undefined);
  }

  return {
    values,
    changed: touched.length > 0,
    busy,
    failure,
    edit: (changes) => setEdits((before) => ({ ...before, ...changes })),
    errorOf(field) {
      if (!tried || !touched.includes(field)) return undefined;
      const result = parsers[field](values);
      return result.ok ? undefined : result.problem;
    },
    async save() {
      setTried(true);
      setFailure(undefined);
      const results = touched.map((field) => parsers[field](values));
      const good = results.filter((result) => result.ok);
      if (good.length < results.length) return;
      setBusy(true);
      const answer = await setSettings(Object.assign({}, ...good.map(({ value }) => value)) as Partial<Settings>);
      setBusy(false);
      if (!answer.ok) return setFailure(answer.error);
      undo();
      notify(t("settings.saved"));
    },
    undo,
  };
}
