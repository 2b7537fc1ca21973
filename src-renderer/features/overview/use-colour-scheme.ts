/** A value that changes whenever the page's colours do. */
import { useSyncExternalStore } from "react";
import { useSetting } from "../../store/hooks.ts";

const QUERIES = ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "(forced-colors: active)"];

function subscribe(listener: () => void): () => void {
  const watched = QUERIES.map((query) => window.matchMedia(query));
  for (const query of watched) query.addEventListener("change", listener);
  return () => {
    for (const query of watched) query.removeEventListener("change", listener);
  };
}

function snapshot(): string {
  return QUERIES.map((query) => window.matchMedia(query).matches).join();
}

export function useColourScheme(): string {
  const theme = useSetting("theme").value;
  return `${theme} ${useSyncExternalStore(subscribe, snapshot)}`;
}
