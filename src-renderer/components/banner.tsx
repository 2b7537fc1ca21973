/** Something the owner should read, with what they can do about it. */
import type { ReactNode } from "react";
import type { HiggsError } from "../../src-shared/result.ts";
import { useI18n } from "../i18n/i18n.tsx";
import { useExplain } from "../i18n/use-explain.ts";
import { Button } from "./button.tsx";
import { RefreshIcon } from "./icons.tsx";
import { type Tone, ToneIcon } from "./tone.tsx";

export interface BannerProps {
  readonly tone: Tone;
  readonly title?: ReactNode;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
  /** Said at once by screen readers; for what comes up while the page is open. */
  readonly urgent?: boolean;
}

export function Banner({ tone, title, children, action, urgent = false }: BannerProps) {
  return (
    <div className={`banner tone-${tone}`} {...(urgent ? { role: "alert" } : {})}>
      <ToneIcon tone={tone} />
      <div className="banner-words">
        {title !== undefined && <strong>{title}</strong>}
        {children !== undefined && <div>{children}</div>}
      </div>
      {action !== undefined && <div className="banner-action">{action}</div>}
    </div>
  );
}

/** A call that failed, told quietly where its result would stand. */
export function ErrorNote({ error, onRetry }: { error: HiggsError; onRetry?: () => void }) {
  const { t } = useI18n();
  const { parts } = useExplain();
  const { message, hint } = parts(error);
  return (
    <Banner
      tone="attention"
      action={
        onRetry !== undefined && (
          <Button size="small" icon={RefreshIcon} onClick={onRetry}>
            {t("common.action.retry")}
          </Button>
        )
      }
    >
      {message} {hint}
    </Banner>
  );
}
