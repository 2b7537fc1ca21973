import { describe, expect, it } from "vitest";
import { en } from "./en/index.ts";
import { ru } from "./ru/index.ts";

type Tree = { readonly [key: string]: string | Tree };

/** `headline.step.dns` → its text. */
function flat(tree: Tree, before = ""): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === "string" ? [[`${before}${key}`, value] as const] : [...flat(value, `${before}${key}.`)],
    ),
  );
}

const english = flat(en);
const russian = flat(ru as Tree);

/** A key without the end that chooses among plurals. */
function base(key: string): string {
  return key.replace(/_(zero|one|two|few|many|other)$/, "");
}

function values(text: string): string[] {
  return [...new Set([...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name ?? ""))].sort();
}

/** The texts of every form of a key. */
function forms(texts: ReadonlyMap<string, string>, key: string): string[] {
  return [...texts].filter(([each]) => base(each) === base(key)).map(([, text]) => text);
}

/** Without values, commands to type, host names and addresses such as `wss://relay.example.org`. */
function withoutExamples(text: string): string {
  return text
    .replace(/\{\{\w+\}\}/g, "")
    .replace(/higgsnode [a-z ]+/g, "")
    .replace(/[\w+:/[\]-]*\w\.\w[\w.:/-]*/g, "");
}

describe("the catalogues", () => {
  it("have the same keys in both languages, apart from plural forms", () => {
    const keys = (texts: ReadonlyMap<string, string>) => [...new Set([...texts.keys()].map(base))].sort();
    expect(keys(russian)).toEqual(keys(english));
  });

  it("have every form of each plural that its language needs", () => {
    for (const key of english.keys()) {
      if (!key.endsWith("_one")) continue;
      expect(english.has(`${base(key)}_other`), key).toBe(true);
      for (const form of ["one", "few", "many", "other"]) expect(russian.has(`${base(key)}_${form}`), key).toBe(true);
    }
  });

  it("take the same values in both languages", () => {
    for (const [key, text] of russian) {
      const wanted = new Set(forms(english, key).flatMap(values));
      for (const name of values(text)) expect([...wanted], `${key}: ${name}`).toContain(name);
      // A form for one may say it in a word, as may the form for none.
      if (!/_(one|zero)$/.test(key)) expect(values(text), key).toEqual([...wanted].sort());
    }
  });

  it("have no space at an end, no double one, and an empty text in both languages or in neither", () => {
    for (const [key, text] of [...english, ...russian]) {
      expect(text.trim(), key).toBe(text);
      expect(text, key).not.toContain("  ");
    }
    const empty = (texts: ReadonlyMap<string, string>) =>
      [...texts].filter(([, text]) => text === "").map(([key]) => key);
    expect(empty(russian)).toEqual(empty(english));
  });

  it("are translated: a Russian text without a Russian word is a name, a unit or a sign", () => {
    const untranslated = [...russian]
      .filter(([, text]) => !/[а-яё]/i.test(text.replace(/\{\{\w+\}\}/g, "")))
      .map(([, text]) => text)
      .filter((text) => /[a-z]{2,}/i.test(text.replace(/\{\{\w+\}\}/g, "")));
    expect(untranslated.filter((text) => !NAMES.has(text))).toEqual([]);
  });

  it("leave no English word among the Russian ones but names", () => {
    const words = [...russian].flatMap(([key, text]) =>
      [...withoutExamples(text).matchAll(/[A-Za-z]{3,}/g)].map(([word]) => ({ key, word })),
    );
    expect(words.filter(({ word }) => !PROPER.has(word))).toEqual([]);
  });
});

/** Whole texts that are the same in every language. */
const NAMES: ReadonlySet<string> = new Set([
  "HiggsNode",
  "WireGuard",
  "English",
  "IPv4",
  "IPv6",
  "MTU",
  "DNS",
  "PCP",
  "NAT-PMP",
  "UPnP",
  "JSON lines",
]);

/** Names and technical terms that Russian writes in Latin letters. */
const PROPER: ReadonlySet<string> = new Set([
  ...["HiggsNode", "WireGuard", "DNS", "NAT", "CGNAT", "UPnP", "PCP", "PMP", "IPv", "TCP", "UDP", "ICMP", "MTU", "UTC"],
  ...[
    "English",
    "JSON",
    "CSV",
    "QR",
    "higgsnode",
    "iptables",
    "SMTP",
    "HTTP",
    "HTTPS",
    "VPN",
    "TLS",
    "PEM",
    "wss",
    "ULA",
  ],
  ...["NPTv", "DMZ", "bridge", "Windows", "Telnet", "lines", "App", "Store", "Google", "Play"],
]);
