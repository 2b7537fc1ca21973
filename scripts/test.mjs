/**
 * Every check there is, in one command: types, linter, unit tests, the lab. The last line is
 * `N passed, N failed`; a check that is no test counts as one.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "higgsnode-test-"));
let passed = 0;
let failed = 0;

try {
  await check("types", "tsc", ["--build"]);
  await check("types of the tests", "tsc", ["--project", "tsconfig.tests.json"]);
  await check("linter and import law", "biome", ["check", "."]);
  await check("build", "node", ["scripts/build.mjs"]);
  await suite("unit");
  await suite("lab");
  await suite("measured");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

async function check(title, command, args) {
  const startedMs = performance.now();
  const code = await run(command, args);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`${code === 0 ? "ok  " : "FAIL"} ${title} (${seconds} s)\n`);
  if (code === 0) passed++;
  else failed++;
}

async function suite(project) {
  const report = join(folder, `${project}.json`);
  const code = await run("vitest", [
    "run",
    "--project",
    project,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ]);
  let counts = { numPassedTests: 0, numFailedTests: 0, numFailedTestSuites: 0 };
  try {
    counts = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    process.stdout.write(`FAIL ${project}: the tests did not run\n`);
  }
  passed += counts.numPassedTests;
  failed += counts.numFailedTests;
  // A file that cannot even be loaded has no tests that could fail, and an error between tests belongs to none.
  if (code !== 0 && counts.numFailedTests === 0) failed++;
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "inherit", "inherit"],
      shell: process.platform === "win32",
    });
    child.on("error", () => resolve(127));
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
