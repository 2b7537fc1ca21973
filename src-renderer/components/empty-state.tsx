/** A list with nothing in it says why, and what fills it. */
import type { ComponentType, ReactNode } from "react";
import type { IconProps } from "./icons.tsx";

export interface EmptyStateProps {
  readonly icon: ComponentType<IconProps>;
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

export function EmptyState({ icon: Icon, title, children, action }: EmptyStateProps) {
  return (
    <div className="empty">
      <span className="empty-icon">
        <Icon />
      </span>
      <p className="empty-title">{title}</p>
      {children !== undefined && <p className="empty-text">{children}</p>}
      {action}
    </div>
  );
}
