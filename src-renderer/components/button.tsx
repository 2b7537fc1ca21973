/** Buttons and links that look like them. */
import type { ComponentProps, ComponentType, ReactNode } from "react";
import { classNames } from "./class-names.ts";
import type { IconProps } from "./icons.tsx";
import { Spinner } from "./spinner.tsx";

export interface ButtonProps extends ComponentProps<"button"> {
  /** One primary action per view; `danger` for what cannot be undone. */
  readonly variant?: "primary" | "secondary" | "quiet" | "danger";
  readonly size?: "normal" | "small";
  readonly icon?: ComponentType<IconProps>;
  /** Work that this button began is under way: shown, and not begun twice. */
  readonly busy?: boolean;
  readonly children: ReactNode;
}

export function Button({
  variant = "secondary",
  size = "normal",
  icon: Icon,
  busy = false,
  className,
  disabled,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      className={classNames("button", `button-${variant}`, size === "small" && "button-small", className)}
      disabled={disabled === true || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy ? <Spinner /> : Icon !== undefined && <Icon />}
      <span>{children}</span>
    </button>
  );
}

export interface IconButtonProps extends Omit<ComponentProps<"button">, "children"> {
  /** The name, for screen readers and on hover. */
  readonly label: string;
  readonly icon: ComponentType<IconProps>;
  readonly danger?: boolean;
}

export function IconButton({ label, icon: Icon, danger = false, className, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      className={classNames("icon-button", danger && "icon-button-danger", className)}
      aria-label={label}
      title={label}
      {...rest}
    >
      <Icon />
    </button>
  );
}
