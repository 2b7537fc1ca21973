/** What something means to the owner, as a colour and as a shape: colour is never the only signal. */
import { AttentionIcon, BusyIcon, CheckIcon, ErrorIcon, InfoIcon, OffIcon, PowerIcon, UnknownIcon } from "./icons.tsx";

export type Tone = "good" | "busy" | "attention" | "bad" | "off" | "unknown" | "info";

const ICONS = {
  good: CheckIcon,
  busy: BusyIcon,
  attention: AttentionIcon,
  bad: ErrorIcon,
  off: OffIcon,
  unknown: UnknownIcon,
  info: InfoIcon,
} as const;

export function ToneIcon({ tone }: { tone: Tone }) {
  const Icon = ICONS[tone];
  return <Icon className={tone === "busy" ? "turning" : ""} />;
}

/** The large sign beside a headline. */
export function ToneSign({ tone }: { tone: Tone }) {
  return <span className={`tone-sign tone-${tone}`}>{tone === "off" ? <PowerIcon /> : <ToneIcon tone={tone} />}</span>;
}
