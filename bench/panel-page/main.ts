/**
 * `npm run bench -- panel-page [--clients N] [--active N] [--seconds N] [--rounds N]`
 *
 * The panel in Chromium, on a node with many clients, each number beside what is wanted of it: the first paint, frames
 * while the list is scrolled, a keystroke in its filter, a change of the node's on screen, the size of the JavaScript,
 * and what the node takes of the computer while nobody does anything.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright";
import { launchBrowser } from "../../e2e/hosts/browser.ts";
import { labObstacle } from "../../e2e/lab/index.ts";
import { Panel } from "../../e2e/pages/panel.ts";
import { Rig } from "../panel/rig.ts";
import { percentile, table } from "../relay/stats.ts";
import { measureIdleNode } from "./idle-node.ts";
import { measureChange, measureKeystrokes, measurePaint, measureScrolling } from "./page-measures.ts";

const DEFAULT_CLIENTS = 1_000;
const DEFAULT_ACTIVE = 50;
const DEFAULT_SECONDS = 5;
const DEFAULT_ROUNDS = 10;
/** An idle node uses so little that a minute is needed to see how little. */
const IDLE_SECONDS = 60;

const RENDERER = join(import.meta.dirname, "../../dist/renderer");

type Row = [what: string, measured: string, target: string];

export async function main(options: readonly string[]): Promise<void> {
  const value = (name: string, otherwise: number) => {
    const at = options.indexOf(name);
    return at === -1 ? otherwise : Number(options[at + 1]);
  };
  const clients = value("--clients", DEFAULT_CLIENTS);
  const active = value("--active", DEFAULT_ACTIVE);
  const seconds = value("--seconds", DEFAULT_SECONDS);
  const rounds = value("--rounds", DEFAULT_ROUNDS);
  process.stdout.write(`The panel of a node with ${clients} clients, ${active} of whom are active.\n\n`);
  const rows = [...javaScript(), ...(await onThePage({ clients, active, seconds, rounds }))];
  const obstacle = labObstacle();
  if (obstacle === undefined) rows.push(...(await idle(clients, value("--idle-seconds", IDLE_SECONDS))));
  process.stdout.write(`${table(["", "measured", "wanted"], rows)}\n`);
  if (obstacle !== undefined) process.stdout.write(`\nThe idle node was not measured: ${obstacle}\n`);
}

function javaScript(): Row[] {
  const files = readdirSync(join(RENDERER, "assets")).filter((name) => name.endsWith(".js"));
  const bytes = files.reduce((sum, name) => sum + gzipSync(readFileSync(join(RENDERER, "assets", name))).length, 0);
  return [["JavaScript of all screens and languages, gzipped", `${(bytes / 1000).toFixed(0)} kB`, "350 kB at most"]];
}

interface Sizes {
  readonly clients: number;
  readonly active: number;
  readonly seconds: number;
  readonly rounds: number;
}

async function onThePage({ clients, active, seconds, rounds }: Sizes): Promise<Row[]> {
  const rig = new Rig();
  let browser: Browser | undefined;
  try {
    await rig.open({ clients, active, renderer: RENDERER });
    browser = await launchBrowser();
    const paints = await measurePaint(browser, rig.url, rounds);
    const page = await openClients(browser, rig.url);
    const frames = await measureScrolling(page, seconds);
    const keys = await measureKeystrokes(page, "client 1", rounds);
    const changes = await measureChange(page, rig.api, rounds * 2);
    const ms = (values: readonly number[], percent: number) => `${percentile(values, percent).toFixed(0)} ms`;
    return [
      ["first contentful paint, nothing cached", ms(paints, 50), "1000 ms at most"],
      ["frames per second while the list is scrolled", frames.perSecond.toFixed(1), "50 at least"],
      ["  the longest between two frames", `${frames.longestMs.toFixed(0)} ms`, ""],
      ["  processor time of the page's thread for each", `${frames.threadMs.toFixed(1)} ms`, "20 ms at most"],
      ["a keystroke in the filter, until it is on screen", ms(keys.typed, 50), "100 ms at most"],
      ["  the slowest of them", ms(keys.typed, 100), "100 ms at most"],
      ["  until the list follows", ms(keys.listed, 50), ""],
      ["a change of the node's, until it is on screen", ms(changes, 50), "250 ms at most"],
      ["  the slowest of them", ms(changes, 100), "250 ms at most"],
    ];
  } finally {
    await browser?.close();
    await rig.close();
  }
}

async function openClients(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1024, height: 700 }, locale: "en-GB" });
  const page = await context.newPage();
  await page.goto(url);
  await page.goto(`${new URL(url).origin}/#/clients`);
  await new Panel(page).clients.list.waitFor();
  return page;
}

async function idle(clients: number, seconds: number): Promise<Row[]> {
  const { closed, open, megabytes } = await measureIdleNode(clients, seconds);
  const percent = (share: number) => `${(share * 100).toFixed(2)} % of a core`;
  return [
    ["the node while it shares and nobody is there", percent(closed), "0.5 % at most"],
    ["  with its panel open", percent(open), ""],
    ["  its memory (resident)", `${megabytes.closed.toFixed(0)} MB`, "120 MB at most"],
    ["  with its panel open", `${megabytes.open.toFixed(0)} MB`, ""],
  ];
}
