/** What a browser has to fetch for the panel, as it goes over the wire. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

const RENDERER = path.resolve(import.meta.dirname, "../dist/renderer");
const ASSETS = path.join(RENDERER, "assets");

/** All screens in all languages: more than any one owner fetches. */
const MAX_TOTAL_BYTES = 350_000;

/** Before anything is on screen, in the heavier of the languages: a phone on a slow mobile network has it in a second. */
const MAX_FIRST_BYTES = 210_000;

const sizes = new Map(
  readdirSync(ASSETS)
    .filter((name) => name.endsWith(".js"))
    .map((name) => [name, gzipSync(readFileSync(path.join(ASSETS, name))).length]),
);

function sum(names: Iterable<string>): number {
  return [...names].reduce((bytes, name) => bytes + (sizes.get(name) ?? 0), 0);
}

/** A chunk and everything that it imports at once, and not when it is asked for. */
function withImports(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  const code = readFileSync(path.join(ASSETS, name), "utf8");
  for (const [, file = ""] of code.matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g)) withImports(file, seen);
  return seen;
}

function chunk(begin: string): string {
  const found = [...sizes.keys()].filter((name) => new RegExp(`^${begin}-[\\w-]{8}\\.js$`).test(name));
  expect(found, `one chunk named ${begin}`).toHaveLength(1);
  return found[0] ?? "";
}

describe("the panel's JavaScript", () => {
  const entry =
    /src="\.\/assets\/([^"]+\.js)"/.exec(readFileSync(path.join(RENDERER, "index.html"), "utf8"))?.[1] ?? "";

  it(`is at most ${MAX_TOTAL_BYTES / 1000} kB, gzipped, in all its parts`, () => {
    expect(sizes.size).toBeGreaterThan(10);
    expect(sum(sizes.keys())).toBeLessThan(MAX_TOTAL_BYTES);
  });

  it(`is at most ${MAX_FIRST_BYTES / 1000} kB until the first screen is there, in either language`, () => {
    const english = withImports(chunk("english"), withImports(chunk("en"), withImports(entry)));
    const russian = withImports(chunk("russian"), withImports(chunk("ru"), withImports(entry)));
    expect(sum(english)).toBeGreaterThan(100_000);
    expect(sum(english)).toBeLessThan(MAX_FIRST_BYTES);
    expect(sum(russian)).toBeLessThan(MAX_FIRST_BYTES);
  });

  it("has no words of the one language among those of the other", () => {
    const common = withImports(entry);
    expect(common).not.toContain(chunk("en"));
    expect(common).not.toContain(chunk("ru"));
    expect(common).not.toContain(chunk("russian"));
    const english = [...withImports(chunk("en"), common)].map((name) => readFileSync(path.join(ASSETS, name), "utf8"));
    // Names of languages and units are in every one.
    const cyrillic = english.join("").match(/[а-яё]/gi) ?? [];
    expect(cyrillic.length).toBeLessThan(200);
  });
});
