/** Names in commands that we suggest. */

/** Names with spaces and apostrophes as a POSIX shell takes them back. */
export function shellWord(name: string): string {
  return /^[\p{L}\p{N}._-]+$/u.test(name) ? name : `"${name}"`;
}
