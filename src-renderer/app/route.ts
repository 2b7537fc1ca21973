/** Which screen is shown: the part of the address after `#/`, so that Back and bookmarks work in every host. */
import { useSyncExternalStore } from "react";

export const ROUTES = ["overview", "clients", "network", "privacy", "health", "settings", "welcome"] as const;
export type Route = (typeof ROUTES)[number];

/** `#/clients` → `clients`; anything else is the overview. */
export function routeOf(hash: string): Route {
  const name = hash.replace(/^#\/?/, "").split(/[/?]/)[0];
  return ROUTES.find((route) => route === name) ?? "overview";
}

export function hrefOf(route: Route): string {
  return `#/${route}`;
}

export function goTo(route: Route): void {
  window.location.hash = hrefOf(route);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, () => routeOf(window.location.hash));
}
