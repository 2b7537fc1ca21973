/** Something is under way. Where no text stands beside it, give it a label. */
import { BusyIcon } from "./icons.tsx";

export function Spinner({ label }: { label?: string }) {
  return (
    <span className="spinner" {...(label === undefined ? {} : { role: "status" })}>
      <BusyIcon className="turning" />
      {label !== undefined && <span>{label}</span>}
    </span>
  );
}
