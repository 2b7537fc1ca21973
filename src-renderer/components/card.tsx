/** Parts of a screen. */
import { type ReactNode, useId } from "react";
import { classNames } from "./class-names.ts";

export interface ScreenProps {
  readonly title: string;
  /** The question this screen answers, in a sentence. */
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A screen with its heading, the only one of level 1; cards go on with level 2. */
export function Screen({ title, lead, actions, children }: ScreenProps) {
  return (
    <div className="screen">
      <div className="screen-head">
        <div className="screen-words">
          <h1>{title}</h1>
          {lead !== undefined && <p className="lead">{lead}</p>}
        </div>
        {actions !== undefined && <div className="screen-actions">{actions}</div>}
      </div>
      {children}
    </div>
  );
}

export interface CardProps {
  readonly title?: ReactNode;
  readonly hint?: ReactNode;
  readonly actions?: ReactNode;
  readonly className?: string;
  readonly children?: ReactNode;
}

export function Card({ title, hint, actions, className, children }: CardProps) {
  const id = useId();
  if (title === undefined) return <div className={classNames("card", className)}>{children}</div>;
  return (
    <section className={classNames("card", className)} aria-labelledby={id}>
      <div className="card-head">
        <div>
          <h2 id={id}>{title}</h2>
          {hint !== undefined && <p className="card-hint">{hint}</p>}
        </div>
        {actions !== undefined && <div className="card-actions">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

export interface FactItem {
  readonly label: ReactNode;
  readonly value: ReactNode;
  /** More words under the value. */
  readonly note?: ReactNode;
}

/** Names and values in rows. */
export function Facts({ items }: { items: readonly (FactItem & { readonly key?: string })[] }) {
  if (items.length === 0) return null;
  return (
    <dl className="facts">
      {items.map((item, at) => (
        <div key={item.key ?? (typeof item.label === "string" ? item.label : at)}>
          <dt>{item.label}</dt>
          <dd>
            {item.value}
            {item.note !== undefined && <span className="fact-note">{item.note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** More for those who want it; closed at first. */
export function Disclosure({ summary, children }: { summary: ReactNode; children: ReactNode }) {
  return (
    <details className="disclosure">
      <summary>{summary}</summary>
      <div className="disclosure-body">{children}</div>
    </details>
  );
}
