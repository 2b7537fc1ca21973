/** `diagnose` without a running node: the machine is looked at, nothing is changed. */
import { type Clock, systemClock } from "../../src-shared/clock.ts";
import type { CheckResult, Diagnosis, Report } from "../../src-shared/model/diagnosis.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { ok, type Result } from "../../src-shared/result.ts";
import type { HelperLink } from "../helper/helper-link.ts";
import { defaultHelperPath, openHelper } from "../helper/open-helper.ts";
import { SettingsStore } from "../storage/settings-store.ts";
import { VERSION } from "../version.ts";
import { allChecks } from "./all-checks.ts";
import type { Check, MachineFacts } from "./check.ts";
import { machineProbe, readMachineFacts } from "./machine-facts.ts";
import { collectReport } from "./report/collect-report.ts";
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
  const looked = await lookOffline(options);
  return looked.ok ? ok(looked.value.diagnosis) : looked;
}

/** A report of a machine on which no node runs. */
export async function reportOffline(options: OfflineOptions): Promise<Result<Report>> {
  const looked = await lookOffline(options);
  if (!looked.ok) return looked;
  const { clock = systemClock, dataDir } = options;
  const nothing = { state: null, spec: null, history: null, clients: [] };
  return ok(collectReport({ ...looked.value, ...nothing, nowMs: clock.nowMs(), dataDir }));
}

interface Looked {
  settings: Settings;
  machine: Result<MachineFacts>;
  diagnosis: Diagnosis;
}

async function lookOffline(options: OfflineOptions): Promise<Result<Looked>> {
  const { clock = systemClock, checks = allChecks } = options;
  const settings = SettingsStore.open(options.dataDir);
  if (!settings.ok) return settings;
  const helper =
    options.helper ?? openHelper({ clock, helperPath: options.helperPath ?? defaultHelperPath(), mayPrompt: false });
  try {
    const machine = await readMachineFacts(helper);
    const diagnosis = await runChecks(
      checks,
      {
        dataDir: options.dataDir,
        settings: settings.value.get(),
        nowMs: clock.nowMs(),
        machine,
        sharing: null,
        status: null,
        privacy: null,
        probe: machine.ok ? machineProbe(helper) : null,
      },
      {
        clock,
        version: VERSION,
        nodePhase: null,
        signal: options.signal ?? new AbortController().signal,
        onProgress: options.onProgress,
      },
    );
    return ok({ settings: settings.value.get(), machine, diagnosis });
  } finally {
    helper.dispose();
  }
}
