/** Whether the system shows a tray: macOS and Windows always do, on Linux a desktop may or may not. */
import { type Clock, delay } from "../../src-shared/clock.ts";
import { hasStatusNotifierHost } from "./session-bus.ts";

/** At login the app may come up before the panel does; a start by hand must not wait. */
const PANEL_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 500;

export interface WaitForTrayOptions {
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Started with the session, without a window. */
  readonly isHidden: boolean;
}

export async function waitForTray({ platform, env, clock, isHidden }: WaitForTrayOptions): Promise<boolean> {
  if (platform !== "linux") return true;
  const uid = process.getuid?.() ?? 0;
  const deadlineMs = clock.monotonicMs() + (isHidden ? PANEL_WITHIN_MS : 0);
  for (;;) {
    if (await hasStatusNotifierHost({ env, uid, clock })) return true;
    if (clock.monotonicMs() >= deadlineMs) return false;
    await delay(clock, LOOK_EVERY_MS);
  }
}
