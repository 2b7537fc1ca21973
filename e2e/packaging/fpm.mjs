#!/usr/bin/env node
/**
 * Stands in for fpm, which electron-builder downloads: makes a deb of the same arguments with dpkg-deb. It knows what
 * electron-builder.yml makes electron-builder say, and refuses anything else.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const text = { type: "string" };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    s: { ...text, short: "s" },
    t: { ...text, short: "t" },
    d: { ...text, short: "d", multiple: true },
    force: { type: "boolean" },
    debug: { type: "boolean" },
    architecture: text,
    "after-install": text,
    "after-remove": text,
    "before-remove": text,
    category: text,
    "deb-compression": text,
    "deb-priority": text,
    "deb-recommends": { ...text, multiple: true },
    description: text,
    license: text,
    maintainer: text,
    name: text,
    package: text,
    url: text,
    vendor: text,
    version: text,
  },
});
if (values.s !== "dir" || values.t !== "deb") throw new Error(`makes no ${values.t} of ${values.s}`);

const root = mkdtempSync(path.join(tmpdir(), "higgsnode-deb-"));
try {
  chmodSync(root, 0o755);
  for (const pair of positionals) {
    const at = pair.lastIndexOf("=");
    const [from, to] = [pair.slice(0, at), path.join(root, pair.slice(at + 1))];
    mkdirSync(path.dirname(to), { recursive: true });
    cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  }
  const control = path.join(root, "DEBIAN");
  mkdirSync(control, { mode: 0o755 });
  for (const [option, name] of [
    ["after-install", "postinst"],
    ["before-remove", "prerm"],
    ["after-remove", "postrm"],
  ]) {
    cpSync(values[option], path.join(control, name));
    chmodSync(path.join(control, name), 0o755);
  }
  const fields = {
    Package: values.name,
    Version: values.version,
    Architecture: values.architecture,
    Maintainer: values.maintainer,
    Depends: values.d.join(", "),
    Recommends: values["deb-recommends"].join(", "),
    Section: values.category,
    Priority: values["deb-priority"],
    Homepage: values.url,
    Description: values.description,
  };
  writeFileSync(
    path.join(control, "control"),
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join(""),
  );
  const built = spawnSync("dpkg-deb", ["--root-owner-group", "-Zgzip", "--build", root, values.package], {
    stdio: "inherit",
  });
  process.exitCode = built.status ?? 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}
