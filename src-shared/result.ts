/**
 * Expected failures are values. A `HiggsError` can cross every process border as JSON.
 *
 * `code` is stable and meant for programs, `message` is one sentence that says what failed,
 * `hint` is one sentence that says what the person can do about it.
 */
import { z } from "zod";

export const higgsErrorSchema = z.strictObject({
  code: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  message: z.string(),
  hint: z.string().optional(),
});

export type HiggsError = z.infer<typeof higgsErrorSchema>;

export type Result<T> = { ok: true; value: T } | { ok: false; error: HiggsError };

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function fail(code: string, message: string, hint?: string): { ok: false; error: HiggsError } {
  return { ok: false, error: hint === undefined ? { code, message } : { code, message, hint } };
}

/** Carries a `HiggsError` through code that can only throw; turned back into a value at the next gate. */
export class HiggsFailure extends Error {
  readonly error: HiggsError;
  constructor(error: HiggsError, options?: { cause?: unknown }) {
    super(error.message, options);
    this.name = "HiggsFailure";
    this.error = error;
  }
}

/** Any thrown thing as a `HiggsError`; what is not ours becomes `internal`, with its message kept. */
export function errorOf(thrown: unknown): HiggsError {
  if (thrown instanceof HiggsFailure) return thrown.error;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "internal", message };
}

/** The value, or a `HiggsFailure` thrown. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new HiggsFailure(result.error);
}

/** First problem of a zod error as one readable line: `wireguard.listenPort: Too big`. */
export function describeZodError(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "invalid value";
  const where = issue.path.map(String).join(".");
  return where === "" ? issue.message : `${where}: ${issue.message}`;
}
