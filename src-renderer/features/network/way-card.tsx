/** One part of the way in: what it is called, its state, what it is for, and what is known of it. */
import type { ReactNode } from "react";
import { Card } from "../../components/card.tsx";

export interface WayCardProps {
  readonly title: string;
  readonly badge: ReactNode;
  readonly lead: string;
  readonly children: ReactNode;
}

export function WayCard({ title, badge, lead, children }: WayCardProps) {
  return (
    <Card title={title} actions={badge} className="way-card">
      <div className="stack">
        <p className="card-hint">{lead}</p>
        {children}
      </div>
    </Card>
  );
}
