/** Time left, counting down to the second at the end, with the absolute time on hover. */
import { useNow } from "../../components/use-now.ts";
import { useI18n } from "../../i18n/i18n.tsx";
import { timeLeft } from "./time-left.ts";

export function Countdown({ to, over }: { to: string; over: string }) {
  const { format } = useI18n();
  const left = timeLeft(Date.parse(to) - useNow());
  return (
    <time dateTime={to} title={format.dateTime(to)} className="number">
      {left ?? over}
    </time>
  );
}
