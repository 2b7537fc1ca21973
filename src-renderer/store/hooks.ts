/** The one store, for every component. */
import { createContext, useContext } from "react";
import { useStore } from "zustand";
import { DEFAULT_SETTINGS, type Settings } from "../../src-shared/model/settings.ts";
import type { PanelActions, PanelState, PanelStore } from "./panel-store.ts";
import { type PredictionKey, type Shown, shownValue } from "./predictions.ts";

export const StoreContext = createContext<PanelStore | undefined>(undefined);

/** A part of the state; the component is drawn again when that part changes. */
export function usePanel<T>(select: (state: PanelState) => T): T {
  return useStore(usePanelStore().state, select);
}

export function useActions(): PanelActions {
  return usePanelStore().actions;
}

/** Calls reach the node now; controls that change something are disabled without it. */
export function useConnected(): boolean {
  return usePanel(({ connection }) => connection === "open");
}

/** The node's value of `key`, or what the owner has just asked for, marked. */
export function usePredicted<T>(key: PredictionKey, actual: T): Shown<T> {
  const predictions = usePanel((state) => state.predictions);
  return shownValue(predictions, key, actual);
}

/** A setting as it is to be shown; the default as long as the node has told nothing. */
export function useSetting<K extends keyof Settings>(key: K): Shown<Settings[K]> {
  const actual = usePanel(({ settings }) => (settings?.value ?? DEFAULT_SETTINGS)[key]);
  return usePredicted(`setting.${key}`, actual);
}

function usePanelStore(): PanelStore {
  const store = useContext(StoreContext);
  if (store === undefined) throw new TypeError("no StoreContext above this component");
  return store;
}
