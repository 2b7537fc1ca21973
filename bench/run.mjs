/**
 * `npm run bench -- NAME [options]`: prints the tables of one benchmark. Never a pass or fail by time.
 * Benchmarks live in `bench/NAME/main.ts`.
 */
import { existsSync, readdirSync } from "node:fs";
import process from "node:process";

const here = new URL(".", import.meta.url);
const names = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/main.ts`, here)))
  .map((entry) => entry.name);
const [name, ...options] = process.argv.slice(2);

if (name === undefined || !names.includes(name)) {
  process.stderr.write(`usage: npm run bench -- NAME [options]; NAME is one of: ${names.join(", ")}\n`);
  process.exitCode = 2;
} else {
  const { main } = await import(new URL(`${name}/main.ts`, here).href);
  await main(options);
}
