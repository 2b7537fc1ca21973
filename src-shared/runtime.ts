/** Which Node the programs need: the major that the pinned Electron embeds, which brings SQLite. */
const LEAST_NODE_MAJOR = 24;

/** One line for a person whose Node (`process.versions.node`) is too old; undefined where it is not. */
export function oldNodeComplaint(program: string, version: string): string | undefined {
  if (Number.parseInt(version, 10) >= LEAST_NODE_MAJOR) return undefined;
  return `${program} needs Node ${LEAST_NODE_MAJOR} or newer, and this is ${version}. In its folder, this takes the right one: npx ${program}`;
}
