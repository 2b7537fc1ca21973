/** A few more words on hover and on focus (Radix); never the only place where something is said. */
import * as Radix from "radix-ui/tooltip";
import type { ReactNode } from "react";

export { Provider as TooltipProvider } from "radix-ui/tooltip";

export function Tooltip({ text, children }: { text: string; children: ReactNode }) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content className="tooltip" sideOffset={6} collisionPadding={8}>
          {text}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
