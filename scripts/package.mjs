/**
 * npm run package: builds, then packages for the platform it runs on into dist/packages. Arguments go to
 * electron-builder: `npm run package -- dir` makes the folder alone, `-- deb` one format.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const PLATFORM = { linux: "--linux", darwin: "--mac", win32: "--win" }[process.platform];
if (PLATFORM === undefined) {
  console.error(`package: there are no packages for ${process.platform}`);
  process.exit(1);
}

run(process.execPath, ["scripts/build.mjs"]);
// What a development build left beside the bundles belongs into no package; electron-builder.yml leaves it out as well.
run(process.execPath, [path.join("node_modules", "electron-builder", "cli.js"), PLATFORM, ...process.argv.slice(2)]);

function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: "inherit" });
  if (error !== undefined) console.error(`package: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
