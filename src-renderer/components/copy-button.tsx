/** Puts a text on the clipboard and says so. */
import { useEffect, useState } from "react";
import { useI18n } from "../i18n/i18n.tsx";
import { useActions } from "../store/hooks.ts";
import { Button } from "./button.tsx";
import { CheckIcon, CopyIcon } from "./icons.tsx";

/** Long enough to be read, short enough not to be taken for the button's name. */
const COPIED_SHOWN_MS = 2_000;

export interface CopyButtonProps {
  readonly text: string;
  /** What is copied, for screen readers: `public endpoint`. */
  readonly what: string;
}

export function CopyButton({ text, what }: CopyButtonProps) {
  const { t } = useI18n();
  const { notify } = useActions();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      // A page without focus, or over plain HTTP from another computer, may not write.
      notify(t("common.copyFailed"));
    }
  }
  return (
    <>
      <Button
        size="small"
        icon={copied ? CheckIcon : CopyIcon}
        aria-label={t("common.copyNamed", { what })}
        onClick={() => void copy()}
      >
        {copied ? t("common.action.copied") : t("common.action.copy")}
      </Button>
      <span className="hidden" role="status">
        {copied ? t("common.action.copied") : ""}
      </span>
    </>
  );
}
