/**
 * Builds everything into dist/: one bundle each for the CLI, the helper, the server and the desktop
 * app, and the panel. A part whose inputs are as they were is not built again (`--force` builds all).
 *
 *   node scripts/build.mjs [--force] [--dev] [PART…]     --dev adds source maps; parts such as cli.mjs or renderer
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const dist = path.join(root, "dist");
const flags = new Set(process.argv.slice(2).filter((word) => word.startsWith("--")));
const wanted = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const force = flags.has("--force");
const dev = flags.has("--dev");
const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

/** Everything of ours and the lock file: whoever edits either wants a new build. */
const COMMON_INPUTS = ["src-shared/**", "package.json", "package-lock.json", "scripts/build.mjs"];

const BUNDLES = [
  { output: "cli.mjs", input: "src-main/cli/bin.ts", inputs: ["src-main/**"], executable: true },
  { output: "helper.mjs", input: "native-helpers/bin.ts", inputs: ["native-helpers/**"], executable: true },
  { output: "server.mjs", input: "src-server/bin.ts", inputs: ["src-server/**"], executable: true },
  { output: "electron/main.mjs", input: "src-main/electron/main.ts", inputs: ["src-main/**"] },
  {
    output: "electron/preload.cjs",
    input: "src-main/electron/preload.ts",
    inputs: ["src-main/electron/**"],
    format: "cjs",
  },
].filter(({ input }) => existsSync(path.join(root, input)));

/** Parts are built here and moved into place whole: a program that starts meanwhile finds the old or the new one. */
const workshop = path.join(dist, `.building-${process.pid}`);

try {
  const built = [];
  for (const bundle of BUNDLES)
    if (await rebuilt(bundle.output, bundle.inputs, () => buildBundle(bundle))) built.push(bundle.output);
  if (await rebuilt("electron/icons", ["src-main/electron/icons/**"], copyIcons)) built.push("electron/icons");
  if (await rebuilt("renderer", ["src-renderer/**"], buildRenderer)) built.push("renderer");
  if (built.length > 0) console.error(`Built ${built.join(", ")}.`);
} finally {
  rmSync(workshop, { recursive: true, force: true });
}

/** Runs `build` unless the output is there and was made of the same inputs. Resolves whether it ran. */
async function rebuilt(output, inputs, build) {
  if (wanted.length > 0 && !wanted.includes(output)) return false;
  const stampFile = path.join(dist, ".stamps", `${output.replaceAll("/", "-")}.txt`);
  const stamp = stampOf([...COMMON_INPUTS, ...inputs]);
  const isCurrent =
    existsSync(path.join(dist, output)) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
  if (isCurrent && !force) return false;
  await build();
  mkdirSync(path.dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
  return true;
}

/** Names, sizes and times of modification: reading every file would take longer than the rest. */
function stampOf(patterns) {
  const hash = createHash("sha256").update(`${process.version} dev=${dev}\n`);
  for (const file of globSync(patterns, { cwd: root }).sort()) {
    const { size, mtimeMs } = statSync(path.join(root, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

async function buildBundle({ output, input, executable = false, format = "esm" }) {
  const { build } = await import("rolldown");
  await build({
    input: path.join(root, input),
    cwd: root,
    platform: "node",
    // bufferutil and utf-8-validate are optional parts of ws, which asks for them in a try block.
    external: ["electron", "bufferutil", "utf-8-validate"],
    transform: { define: { HIGGS_VERSION: JSON.stringify(version) } },
    logLevel: "warn",
    output: {
      file: path.join(workshop, output),
      format,
      codeSplitting: false,
      sourcemap: dev,
    },
  });
  if (executable) chmodSync(path.join(workshop, output), 0o755);
  mkdirSync(path.dirname(path.join(dist, output)), { recursive: true });
  renameSync(path.join(workshop, output), path.join(dist, output));
  rmSync(path.join(dist, `${output}.map`), { force: true });
  if (dev) renameSync(path.join(workshop, `${output}.map`), path.join(dist, `${output}.map`));
}

/** What scripts/draw-icons.mjs has drawn, as far as the running app reads it. */
function copyIcons() {
  const place = path.join(dist, "electron/icons");
  const made = path.join(workshop, "icons");
  const from = path.join(root, "src-main/electron/icons");
  for (const file of globSync(["*.png", "*.ico", "app/256x256.png"], { cwd: from })) {
    mkdirSync(path.dirname(path.join(made, file)), { recursive: true });
    copyFileSync(path.join(from, file), path.join(made, file));
  }
  if (existsSync(place)) renameSync(place, path.join(workshop, "icons-before"));
  mkdirSync(path.dirname(place), { recursive: true });
  renameSync(made, place);
}

async function buildRenderer() {
  const { build } = await import("vite");
  const { default: react } = await import("@vitejs/plugin-react");
  const made = path.join(workshop, "renderer");
  const place = path.join(dist, "renderer");
  await build({
    root: path.join(root, "src-renderer"),
    base: "./",
    configFile: false,
    logLevel: "warn",
    plugins: [react()],
    build: {
      outDir: made,
      emptyOutDir: true,
      // The page's content security policy allows no data: addresses.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      sourcemap: dev,
    },
  });
  if (existsSync(place)) renameSync(place, path.join(workshop, "renderer-before"));
  renameSync(made, place);
}
