/** `diagnose` without a running node: the machine is looked at, nothing is changed. */
import { type Clock, systemClock } from "../../src-shared/clock.ts";
import type { CheckResult, Diagnosis } from "../../src-shared/model/diagnosis.ts";
import { ok, type Result } from "../../src-shared/result.ts";
import type { HelperLink } from "../helper/helper-link.ts";
import { defaultHelperPath, openHelper } from "../helper/open-helper.ts";
import { SettingsStore } from "../storage/settings-store.ts";
import { VERSION } from "../version.ts";
import { allChecks } from "./all-checks.ts";
import type { Check } from "./check.ts";
import { readMachineFacts } from "./machine-facts.ts";
import { runChecks } from "./run-checks.ts";

export interface OfflineOptions {
  dataDir: string;
  helperPath?: string | undefined;
  /** In place of the helper at `helperPath`; disposed of at the end. */
  helper?: Pick<HelperLink, "call" | "dispose">;
  clock?: Clock;
  checks?: readonly Check[];
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number; check: CheckResult }) => void;
}

/** Fails only where the settings cannot be read: what to check depends on them. */
export async function diagnoseOffline(options: OfflineOptions): Promise<Result<Diagnosis>> {
  const { clock = systemClock, checks = allChecks } = options;
  const settings = SettingsStore.open(options.dataDir);
  if (!settings.ok) return settings;
  const helper =
    options.helper ?? openHelper({ clock, helperPath: options.helperPath ?? defaultHelperPath(), mayPrompt: false });
  try {
    const machine = await readMachineFacts(helper);
    const diagnosis = await runChecks(
      checks,
      { dataDir: options.dataDir, settings: settings.value.get(), nowMs: clock.nowMs(), machine, sharing: null },
      {
        clock,
        version: VERSION,
        nodePhase: null,
        signal: options.signal ?? new AbortController().signal,
        onProgress: options.onProgress,
      },
    );
    return ok(diagnosis);
  } finally {
    helper.dispose();
  }
}
