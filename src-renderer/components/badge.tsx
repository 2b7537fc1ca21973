/** A state in a word or two, with its shape. */
import type { ComponentType, ReactNode } from "react";
import type { IconProps } from "./icons.tsx";
import { type Tone, ToneIcon } from "./tone.tsx";

export interface BadgeProps {
  readonly tone: Tone;
  readonly children: ReactNode;
  /** Instead of the tone's own. */
  readonly icon?: ComponentType<IconProps>;
}

export function Badge({ tone, children, icon: Icon }: BadgeProps) {
  return (
    <span className={`badge tone-${tone}`}>
      {Icon === undefined ? <ToneIcon tone={tone} /> : <Icon />}
      <span>{children}</span>
    </span>
  );
}
