/** `3 minutes ago`, with the absolute time on hover. */
import { useI18n } from "../i18n/i18n.tsx";
import { useNow } from "./use-now.ts";

export interface RelativeTimeProps {
  /** RFC 3339. */
  readonly at: string;
  /** A time to come: `in 5 minutes`. */
  readonly future?: boolean;
}

export function RelativeTime({ at, future = false }: RelativeTimeProps) {
  const { format } = useI18n();
  const nowMs = useNow();
  return (
    <time dateTime={at} title={format.dateTime(at)}>
      {future ? format.in(at, nowMs) : format.ago(at, nowMs)}
    </time>
  );
}
