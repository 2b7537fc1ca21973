/**
 * Reads the sources for what the node may say to its owner, so that nothing of it is left without Russian. A sentence that is put
 * together from values is tried with made-up ones.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { allChecks } from "../../../src-main/diagnostics/all-checks.ts";
import { GENERIC } from "./generic.ts";
import { localiseError, localiseText } from "./localise.ts";
import { SENTENCES } from "./sentences/all.ts";
import { gapsOf } from "./template.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const FOLDERS = ["src-main", "src-shared", "native-helpers"];

/** What the command line alone says, and what stands in for the world in tests. */
const LEFT_OUT = /^src-main\/cli\/|\/testing\/|\.test\.ts$|^src-shared\/text\//;

/** Codes in messages between programs, which are never shown: names of protocol requests, and of the wire's own errors. */
const NOT_SHOWN: ReadonlySet<string> = new Set(["announce", "map", "custom"]);

/** Of all sentences in the sources so many must be known; the rest are what a program of the system has said. */
const LEAST_KNOWN_SHARE = 0.9;

const CYRILLIC = /[а-яё]/i;
const LITERAL = /"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/;

interface Source {
  readonly file: string;
  readonly text: string;
}

const sources: Source[] = FOLDERS.flatMap((folder) =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((name) => path.posix.join(folder, name.split(path.sep).join("/")))
    .filter((file) => file.endsWith(".ts") && !LEFT_OUT.test(file))
    .map((file) => ({ file, text: readFileSync(path.join(ROOT, file), "utf8") })),
);

interface Found {
  readonly file: string;
  readonly value: string;
}

function all(pattern: RegExp, among: (file: string) => boolean = () => true): Found[] {
  return sources
    .filter(({ file }) => among(file))
    .flatMap(({ file, text }) => [...text.matchAll(pattern)].flatMap(([, value]) => (value ? [{ file, value }] : [])));
}

/** Codes of failures: `fail("code", …)`, `{ code: "code", message: … }`, and the router's table. */
function codes(): Found[] {
  return [
    ...all(/\b(?:fail|mappingFail|cannot)\(\s*"([a-z0-9-]+)"/g),
    ...all(/\bcode: "([a-z0-9-]+)",?\s+(?:message|hint)\b/g),
    ...all(/^ {2}"?([a-z0-9-]+)"?: \[\s*"/gm, (file) => file.endsWith("/mapping-errors.ts")),
  ].filter(({ value }) => !NOT_SHOWN.has(value));
}

/** Whole sentences: messages and hints of failures, details and remedies of checks. */
function sentences(): Found[] {
  const literal = LITERAL.source;
  const isCheck = (file: string) => file.startsWith("src-main/diagnostics/");
  return [
    ...all(new RegExp(`\\bfail\\(\\s*"[a-z0-9-]+",\\s*(${literal})`, "g")),
    ...all(new RegExp(`\\bfail\\(\\s*"[a-z0-9-]+",\\s*(?:${literal}),\\s*(${literal})`, "g")),
    ...all(new RegExp(`\\b(?:message|hint):\\s*(${literal})`, "g")),
    ...all(new RegExp(`\\b(?:pass|skipped|warn|failed)\\(\\s*(${literal})`, "g"), isCheck),
    ...all(new RegExp(`\\b(?:warn|failed)\\(\\s*(?:${literal}),\\s*(${literal})`, "g"), isCheck),
  ]
    .map(({ file, value }) => ({ file, value: withValues(value) }))
    .filter(({ value }) => /[a-z]{2,} [a-z]/i.test(value));
}

/** The literal's text; what it is put together from becomes a number, which fits every gap. */
function withValues(literal: string): string {
  let text = "";
  let depth = 0;
  for (let at = 1; at < literal.length - 1; at++) {
    const character = literal[at] ?? "";
    if (depth === 0 && literal.startsWith("${", at)) {
      depth = 1;
      at++;
      text += "7";
    } else if (depth > 0) depth += character === "{" ? 1 : character === "}" ? -1 : 0;
    else text += character === "\\" ? (literal[++at] ?? "") : character;
  }
  return text;
}

function listed(found: readonly Found[]): string[] {
  return [...new Set(found.map(({ file, value }) => `${value}   (${file})`))].toSorted();
}

describe("Russian for what the node says", () => {
  it("is there for every code of a failure (generic.ts)", () => {
    expect(codes().length).toBeGreaterThan(100);
    expect(listed(codes().filter(({ value }) => !Object.hasOwn(GENERIC, value)))).toEqual([]);
  });

  it("is there for the title of every check (sentences/checks.ts)", () => {
    expect(allChecks.length).toBeGreaterThan(20);
    const missing = allChecks.filter(({ title }) => !CYRILLIC.test(localiseText(title, "ru")));
    expect(missing.map(({ id, title }) => `${id}: ${title}`)).toEqual([]);
  });

  it("is there for nearly all sentences of the sources (sentences/*.ts)", () => {
    const every = sentences();
    expect(every.length).toBeGreaterThan(200);
    const missing = every.filter(({ value }) => !CYRILLIC.test(localiseText(value, "ru")));
    const share = 1 - missing.length / every.length;
    expect(share, `without Russian:\n${listed(missing).join("\n")}`).toBeGreaterThan(LEAST_KNOWN_SHARE);
  });

  it("carries every value over, and is Russian", () => {
    for (const [english, russian] of SENTENCES) {
      expect(gapsOf(russian), english).toEqual(gapsOf(english));
      expect(CYRILLIC.test(russian) || russian === english, english).toBe(true);
    }
    for (const [code, russian] of Object.entries(GENERIC)) {
      expect(CYRILLIC.test(russian), code).toBe(true);
      expect(localiseError({ code, message: "Xyzzy." }, "ru").message).toMatch(CYRILLIC);
    }
  });

  it("has each sentence once", () => {
    const english = SENTENCES.map(([text]) => text);
    expect(english.filter((text, index) => english.indexOf(text) !== index)).toEqual([]);
  });
});
