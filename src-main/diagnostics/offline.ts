/** `diagnose` without a running node: the machine is looked at, nothing is changed. */
import { systemClock } from "../../src-shared/clock.ts";
import type { CheckResult, Diagnosis } from "../../src-shared/model/diagnosis.ts";
import { ok, type Result } from "../../src-shared/result.ts";
import { defaultHelperPath, openHelper } from "../helper/open-helper.ts";
import { SettingsStore } from "../storage/settings-store.ts";
import { VERSION } from "../version.ts";
import { allChecks } from "./all-checks.ts";
import { readMachineFacts } from "./machine-facts.ts";
import { runChecks } from "./run-checks.ts";

export interface OfflineOptions {
  dataDir: string;
  helperPath?: string | undefined;
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number; check: CheckResult }) => void;
}

/** Fails only where the settings cannot be read: what to check depends on them. */
export async function diagnoseOffline(options: OfflineOptions): Promise<Result<Diagnosis>> {
  const settings = SettingsStore.open(options.dataDir);
  if (!settings.ok) return settings;
  const helper = openHelper({
    clock: systemClock,
    helperPath: options.helperPath ?? defaultHelperPath(),
    mayPrompt: false,
  });
  try {
    const machine = await readMachineFacts(helper);
    const diagnosis = await runChecks(
      allChecks,
      { dataDir: options.dataDir, settings: settings.value.get(), machine, sharing: null },
      {
        clock: systemClock,
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
