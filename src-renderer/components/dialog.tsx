/**
 * Dialogs (Radix): focus is kept inside and returned, Escape closes. Radix's own overlay would put a <style> element
 * into the page to stop it from scrolling, which the content security policy refuses: the overlay here is ours, and a
 * class on <html> stops the page.
 */
import * as Radix from "radix-ui/dialog";
import { type ReactNode, useEffect, useState } from "react";
import { useI18n } from "../i18n/i18n.tsx";
import { Button, IconButton } from "./button.tsx";
import { classNames } from "./class-names.ts";
import { CloseIcon } from "./icons.tsx";

export interface DialogProps {
  readonly title: string;
  readonly description?: ReactNode;
  readonly children?: ReactNode;
  /** Buttons, the main one last. */
  readonly actions?: ReactNode;
  readonly wide?: boolean;
  readonly onClose: () => void;
}

/** What had the focus before a dialog, or the first of several dialogs in a row, was opened. */
let opener: HTMLElement | undefined;

function rememberOpener(): void {
  const { activeElement, body } = document;
  if (!(activeElement instanceof HTMLElement) || activeElement.closest("[role=dialog]") !== null) return;
  opener = activeElement === body ? undefined : activeElement;
}

/** The dialog itself, whose title is said first; not its first button, which closes it. A field that asked for the focus keeps it. */
function focusDialog(event: Event): void {
  event.preventDefault();
  if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus();
}

/** Back to where the keyboard was; to the page where that is gone, such as the row of a client who was removed. */
function returnFocus(event: Event): void {
  event.preventDefault();
  if (document.querySelector("[role=dialog]") !== null) return;
  opener?.focus();
  if (opener === undefined || document.activeElement !== opener) document.getElementById("main")?.focus();
}

/** Open as long as it is rendered. */
export function Dialog({ title, description, children, actions, wide = false, onClose }: DialogProps) {
  const { t } = useI18n();
  // Before Radix moves the focus into the dialog.
  useState(rememberOpener);
  useEffect(() => {
    document.documentElement.classList.add("has-dialog");
    return () => document.documentElement.classList.remove("has-dialog");
  }, []);
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <div className="overlay">
          <Radix.Content
            className={classNames("dialog", wide && "dialog-wide")}
            onInteractOutside={stay}
            onOpenAutoFocus={focusDialog}
            onCloseAutoFocus={returnFocus}
            {...(description === undefined ? { "aria-describedby": undefined } : {})}
          >
            <div className="dialog-head">
              <Radix.Title className="dialog-title">{title}</Radix.Title>
              <Radix.Close asChild>
                <IconButton label={t("common.action.close")} icon={CloseIcon} />
              </Radix.Close>
            </div>
            {description !== undefined && (
              <Radix.Description asChild>
                <div className="dialog-description">{description}</div>
              </Radix.Description>
            )}
            {children}
            {actions !== undefined && <div className="actions">{actions}</div>}
          </Radix.Content>
        </div>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** A click beside a dialog must not throw away what was written in it, nor a key that is shown once. */
function stay(event: Event): void {
  event.preventDefault();
}

export interface ConfirmDialogProps {
  readonly title: string;
  /** What will happen, and whether it can be undone. */
  readonly children: ReactNode;
  /** The button's words: what is done, not "OK". */
  readonly confirm: string;
  readonly danger?: boolean;
  /** The dialog stays, busy, until this resolves. */
  readonly onConfirm: () => unknown;
  readonly onClose: () => void;
}

export function ConfirmDialog({ title, children, confirm, danger = false, onConfirm, onClose }: ConfirmDialogProps) {
  const { t } = useI18n();
  const [busy, setBusy] = useState(false);
  async function go() {
    setBusy(true);
    await onConfirm();
    setBusy(false);
    onClose();
  }
  return (
    <Dialog
      title={title}
      description={children}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("common.action.cancel")}</Button>
          <Button variant={danger ? "danger" : "primary"} busy={busy} onClick={() => void go()}>
            {confirm}
          </Button>
        </>
      }
    />
  );
}
