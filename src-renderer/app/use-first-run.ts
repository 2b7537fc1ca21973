/** An owner who opens an untouched node is led through the welcome; any address of their own choice is respected. */
import { useEffect, useRef } from "react";
import { usePanel } from "../store/hooks.ts";
import { goTo } from "./route.ts";

export function useFirstRun(): void {
  const decided = useRef(false);
  const welcomed = usePanel((state) => state.settings?.value.welcomed);
  const clients = usePanel((state) => state.clients?.value.length);
  useEffect(() => {
    if (decided.current || welcomed === undefined || clients === undefined) return;
    decided.current = true;
    if (!welcomed && clients === 0 && window.location.hash === "") goTo("welcome");
  }, [welcomed, clients]);
}
