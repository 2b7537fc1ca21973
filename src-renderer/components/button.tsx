/** Buttons and links that look like them. */
import type { ComponentProps, ComponentType, MouseEvent, ReactNode } from "react";
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
  onClick,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      className={classNames("button", `button-${variant}`, size === "small" && "button-small", className)}
      {...rest}
      {...busyProps(busy)}
      onClick={busy ? doNothing : onClick}
    >
      {busy ? <Spinner /> : Icon !== undefined && <Icon />}
      <span>{children}</span>
    </button>
  );
}

/** Not `disabled`: that would throw the keyboard out of the page's order while the work goes on. */
function busyProps(busy: boolean) {
  return busy ? { "aria-disabled": true, "aria-busy": true } : {};
}

/** Submits nothing either. */
function doNothing(event: MouseEvent): void {
  event.preventDefault();
}

export interface IconButtonProps extends Omit<ComponentProps<"button">, "children"> {
  /** The name, for screen readers and on hover. */
  readonly label: string;
  readonly icon: ComponentType<IconProps>;
  readonly danger?: boolean;
  /** Work on the same thing is under way: this begins no more of it. */
  readonly busy?: boolean;
}

export function IconButton({
  label,
  icon: Icon,
  danger = false,
  busy = false,
  className,
  onClick,
  ...rest
}: IconButtonProps) {
  return (
    <button
      type="button"
      className={classNames("icon-button", danger && "icon-button-danger", className)}
      aria-label={label}
      title={label}
      {...rest}
      {...busyProps(busy)}
      onClick={busy ? doNothing : onClick}
    >
      <Icon />
    </button>
  );
}
