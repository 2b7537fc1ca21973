/**
 * `npm start`: the desktop app where a display and the Electron runtime are there, else the headless
 * host, which says where its panel is. Arguments go to `higgsnode start`.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const electron = electronProgram();

if (hasDisplay() && electron !== undefined) {
  const app = spawn(electron, [root, ...process.argv.slice(2)], { stdio: "inherit" });
  // Ctrl+C reaches the app as well; it decides when it has put the network back.
  for (const signal of ["SIGINT", "SIGHUP"]) process.on(signal, () => {});
  process.on("SIGTERM", () => app.kill("SIGTERM"));
  app.once("exit", (code) => process.exit(code ?? 1));
} else {
  const why = electron === undefined ? "The Electron runtime is not installed" : "There is no display";
  console.error(`${why}: running without a window.`);
  process.argv.splice(2, 0, "start");
  await import("../dist/cli.mjs");
}

function hasDisplay() {
  if (process.platform === "darwin" || process.platform === "win32") return true;
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/** The runtime that the electron package has downloaded, as its own index.js finds it, without downloading. */
function electronProgram() {
  const folder = path.join(root, "node_modules", "electron");
  const pathFile = path.join(folder, "path.txt");
  if (!existsSync(pathFile)) return undefined;
  const program = path.join(folder, "dist", readFileSync(pathFile, "utf8").trim());
  return existsSync(program) ? program : undefined;
}
