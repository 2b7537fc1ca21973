/** The frame of fields that are saved together: Save and Undo appear once something was written. */
import type { ReactNode } from "react";
import { ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { type I18n, useI18n } from "../../i18n/i18n.tsx";
import { useConnected } from "../../store/hooks.ts";
import type { FieldProblem } from "./settings-form.ts";
import { MAX_RELAY_SERVERS } from "./settings-form.ts";
import type { Draft } from "./use-draft.ts";

export interface DraftFormProps<D> {
  readonly draft: Draft<D>;
  /** Saving makes the tunnel anew: said beside the button. */
  readonly restarts?: boolean;
  readonly children: ReactNode;
}

export function DraftForm<D>({ draft, restarts = false, children }: DraftFormProps<D>) {
  const { t } = useI18n();
  const connected = useConnected();
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void draft.save();
      }}
    >
      {children}
      {draft.failure !== undefined && <ErrorNote error={draft.failure} />}
      {draft.changed && (
        <div className="row draft-actions">
          <Button type="submit" variant="primary" busy={draft.busy} disabled={!connected}>
            {draft.busy ? t("settings.saving") : t("settings.save")}
          </Button>
          <Button disabled={draft.busy} onClick={draft.undo}>
            {t("settings.undo")}
          </Button>
          <span className="field-hint" role="status">
            {t("settings.notSaved")} {restarts && t("settings.restarts")}
          </span>
        </div>
      )}
    </form>
  );
}

/** As many entries as either list of the settings holds. */
const MAX_ENTRIES = MAX_RELAY_SERVERS;

/** The problem of a field in words. */
export function problemText(problem: FieldProblem | undefined, { t }: I18n): string | undefined {
  if (problem === undefined) return undefined;
  return t(`settings.${problem.key}`, { text: problem.text ?? "", max: problem.max ?? MAX_ENTRIES });
}
