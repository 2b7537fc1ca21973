/** The owner's theme on <html>; `system` leaves the choice to the stylesheet. */
import { useLayoutEffect } from "react";
import { useSetting } from "../store/hooks.ts";

export function useTheme(): void {
  const theme = useSetting("theme").value;
  // Before any effect that reads the colours, such as the chart's.
  useLayoutEffect(() => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
}
