/** Gathers an export piece by piece, within bounds. No DOM, so that it can be tested; the file is made by the caller. */
import type { ExportFormat, ExportPiece, LogKind } from "../../../src-shared/model/privacy.ts";
import type { Result } from "../../../src-shared/result.ts";

/** A browser holds the file in memory before it is saved; a phone manages this much. */
export const MAX_EXPORT_BYTES = 256 * 1024 ** 2;

export type ExportOutcome =
  | { readonly state: "done"; readonly parts: readonly string[]; readonly characters: number }
  | { readonly state: "cancelled" | "too-large" }
  | { readonly state: "failed"; readonly error: Extract<Result<never>, { ok: false }>["error"] };

export interface ExportJob {
  /** Asks for the piece at that cursor; the first has none. */
  readonly piece: (cursor: string | undefined) => Promise<Result<ExportPiece>>;
  readonly onProgress: (characters: number) => void;
  readonly signal: AbortSignal;
  readonly maxCharacters?: number;
}

export async function gatherExport({ piece, onProgress, signal, maxCharacters }: ExportJob): Promise<ExportOutcome> {
  const most = maxCharacters ?? MAX_EXPORT_BYTES;
  const parts: string[] = [];
  let characters = 0;
  let cursor: string | undefined;
  do {
    const answer = await piece(cursor);
    if (signal.aborted) return { state: "cancelled" };
    if (!answer.ok) return { state: "failed", error: answer.error };
    const { text, next } = answer.value;
    // A node that names the same place again would have us ask for ever.
    if (next !== null && next === cursor) return { state: "done", parts, characters };
    parts.push(text);
    characters += text.length;
    if (characters > most) return { state: "too-large" };
    onProgress(characters);
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return { state: "done", parts, characters };
}

/** `higgsnode-connections-2026-11-22.csv`; the date is the one of `nowMs` in UTC. */
export function exportFileName(kind: LogKind, format: ExportFormat, nowMs: number): string {
  return `higgsnode-${kind}-${new Date(nowMs).toISOString().slice(0, 10)}.${format}`;
}

export const EXPORT_TYPES: Readonly<Record<ExportFormat, string>> = {
  jsonl: "application/jsonl",
  csv: "text/csv;charset=utf-8",
};
