/** The one store and the texts, for every component below. */
import { createContext, useContext } from "react";
import { useStore } from "zustand";
import { en, type Texts } from "../../src-shared/text/en.ts";
import type { NodeStore, PanelActions, PanelState } from "../store/node-store.ts";

export const StoreContext = createContext<NodeStore | undefined>(undefined);

export function usePanel<T>(select: (state: PanelState) => T): T {
  return useStore(useNodeStore().state, select);
}

export function useActions(): PanelActions {
  return useNodeStore().actions;
}

export function useTexts(): Texts {
  return en;
}

function useNodeStore(): NodeStore {
  const store = useContext(StoreContext);
  if (store === undefined) throw new TypeError("no StoreContext above this component");
  return store;
}
