/** The screens by route. All but the first one come when they are asked for, so that the first is there sooner. */
import { type ComponentType, lazy } from "react";
import { OverviewScreen } from "../features/overview/overview-screen.tsx";
import type { Route } from "./route.ts";

export const SCREENS: Readonly<Record<Route, ComponentType>> = {
  overview: OverviewScreen,
  clients: lazy(async () => ({ default: (await import("../features/clients/clients-screen.tsx")).ClientsScreen })),
  network: lazy(async () => ({ default: (await import("../features/network/network-screen.tsx")).NetworkScreen })),
  privacy: lazy(async () => ({ default: (await import("../features/privacy/privacy-screen.tsx")).PrivacyScreen })),
  health: lazy(async () => ({ default: (await import("../features/health/health-screen.tsx")).HealthScreen })),
  settings: lazy(async () => ({ default: (await import("../features/settings/settings-screen.tsx")).SettingsScreen })),
  welcome: lazy(async () => ({ default: (await import("../features/welcome/welcome-screen.tsx")).WelcomeScreen })),
};
