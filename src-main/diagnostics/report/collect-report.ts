/** Collects a report, of a running node and without one. */
import { homedir, hostname, release, userInfo } from "node:os";
import type { Diagnosis, Report } from "../../../src-shared/model/diagnosis.ts";
import type { HealthHistory } from "../../../src-shared/model/health.ts";
import type { NodeState } from "../../../src-shared/model/node-state.ts";
import type { Settings } from "../../../src-shared/model/settings.ts";
import type { NetworkSpec } from "../../../src-shared/network-spec.ts";
import type { Result } from "../../../src-shared/result.ts";
import { VERSION } from "../../version.ts";
import type { MachineFacts } from "../check.ts";
import { buildReport } from "./build-report.ts";
import { readLogTail } from "./log-tail.ts";
import { storedNames } from "./stored-names.ts";

export interface ReportSources {
  nowMs: number;
  dataDir: string;
  state: NodeState | null;
  settings: Settings;
  spec: NetworkSpec | null;
  machine: Result<MachineFacts>;
  diagnosis: Diagnosis;
  history: HealthHistory | null;
  clients: readonly { name: string; paused: boolean; connected: boolean; limited: boolean }[];
}

/** A report of this machine and this moment: adds versions, platform, names that must not stand in it, and the end of the log. */
export function collectReport(sources: ReportSources): Report {
  const { nowMs, dataDir, clients, ...parts } = sources;
  return buildReport(
    {
      ...parts,
      createdAt: new Date(nowMs).toISOString(),
      versions: {
        higgsnode: VERSION,
        runtime: process.versions.electron === undefined ? process.version : `Electron ${process.versions.electron}`,
        platform: `${process.platform} ${process.arch}`,
        system: release(),
      },
      clients: clients.map(({ name: _, ...shown }) => shown),
      log: readLogTail(dataDir),
    },
    { clients: namesOf(sources), host: hostname(), user: userName(), home: homedir(), dataDir },
  );
}

function namesOf({ state, clients, dataDir }: ReportSources): string[] {
  return state === null ? storedNames(dataDir) : clients.map(({ name }) => name);
}

/** Empty where the account has no entry, as in some containers. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "";
  }
}
