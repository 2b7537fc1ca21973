/** What failed and what can be done, as two paragraphs; a command at the end of the hint can be copied. */

import type { HiggsError } from "../../src-shared/result.ts";
import { useI18n } from "../i18n/i18n.tsx";
import { useExplain } from "../i18n/use-explain.ts";
import { CopyButton } from "./copy-button.tsx";
import { splitFix } from "./fix-text.ts";
import "./error-text.css";

export function ErrorText({ error }: { error: HiggsError }) {
  const { parts } = useExplain();
  const { message, hint } = parts(error);
  return (
    <>
      <p>{message}</p>
      {hint !== undefined && <FixText text={hint} />}
    </>
  );
}

export function FixText({ text }: { text: string }) {
  const { t } = useI18n();
  const { words, command } = splitFix(text);
  return (
    <div className="fix">
      <p>{words}</p>
      {command !== undefined && (
        <div className="fix-command">
          <code>{command}</code>
          <CopyButton text={command} what={t("health.diagnose.command")} />
        </div>
      )}
    </div>
  );
}
