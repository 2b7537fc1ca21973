/** What the browser itself measures of a page. */
import type { Browser, Page } from "playwright";
import { Panel } from "../../e2e/pages/panel.ts";
import type { NodeApi } from "../../src-main/ipc/node-api.ts";

const CALLER = { signal: new AbortController().signal };

/** A list that has not changed a fifth of a second later stays as it is. */
const LIST_WITHIN_FRAMES = 12;

/** A change that is not on screen by then is lost. */
const CHANGE_WITHIN_MS = 5_000;

/** First contentful paint, ms after the navigation began; each round in a browser profile that has cached nothing. */
export async function measurePaint(browser: Browser, url: string, rounds: number): Promise<number[]> {
  const paints: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const context = await browser.newContext({ viewport: { width: 1024, height: 700 } });
    const page = await context.newPage();
    await page.goto(url);
    await new Panel(page).navigation.waitFor();
    paints.push(
      await page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            new PerformanceObserver((list) => {
              for (const { startTime } of list.getEntriesByName("first-contentful-paint")) resolve(startTime);
            }).observe({ type: "paint" as string, buffered: true });
          }),
      ),
    );
    await context.close();
  }
  return paints;
}

export interface Frames {
  readonly perSecond: number;
  readonly longestMs: number;
  /** Processor time of the page's main thread per frame: what a busy computer does not change. */
  readonly threadMs: number;
}

/** Frames while the page is scrolled down and up again by a row and more at every frame. */
export async function measureScrolling(page: Page, seconds: number): Promise<Frames> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const threadSeconds = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "ThreadTime")?.value ?? Number.NaN;
  };
  const before = await threadSeconds();
  const { count, tookMs, longestMs } = await scroll(page, seconds);
  const threadMs = ((await threadSeconds()) - before) * 1_000;
  await session.detach();
  return { perSecond: (count * 1_000) / tookMs, longestMs, threadMs: threadMs / count };
}

function scroll(page: Page, seconds: number): Promise<{ count: number; tookMs: number; longestMs: number }> {
  return page.evaluate(async (forMs) => {
    const STEP_PX = 90;
    const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
    const gaps: number[] = [];
    const beganMs = await frame();
    let lastMs = beganMs;
    let direction = 1;
    while (lastMs - beganMs < forMs) {
      const bottom = document.documentElement.scrollHeight - window.innerHeight;
      if (window.scrollY >= bottom) direction = -1;
      if (window.scrollY <= 0) direction = 1;
      window.scrollBy(0, STEP_PX * direction);
      const atMs = await frame();
      gaps.push(atMs - lastMs);
      lastMs = atMs;
    }
    window.scrollTo(0, 0);
    return { count: gaps.length, tookMs: lastMs - beganMs, longestMs: Math.max(...gaps) };
  }, seconds * 1_000);
}

export interface Keystrokes {
  /** Until the letter is in the field on screen. */
  readonly typed: number[];
  /** Until the list below is the one that was asked for. */
  readonly listed: number[];
}

/** Types `text` into the filter letter by letter, `rounds` times; ms from the key to the next frame, and to the list. */
export async function measureKeystrokes(page: Page, text: string, rounds: number): Promise<Keystrokes> {
  const typed: number[] = [];
  const listed: number[] = [];
  const { filter } = new Panel(page).clients;
  await filter.focus();
  for (let round = 0; round < rounds; round++) {
    for (const key of text) {
      const answer = await measureKey(page, key);
      typed.push(answer.typed);
      if (answer.listed !== undefined) listed.push(answer.listed);
    }
    await filter.fill("");
  }
  return { typed, listed };
}

interface KeyTimes {
  readonly typed: number;
  /** Undefined where the letter left everybody on the list. */
  readonly listed: number | undefined;
}

/** Where the page keeps what it measures from the key on, which is pressed once it listens. */
type Measuring = { measuredKey?: Promise<KeyTimes> };

async function measureKey(page: Page, key: string): Promise<KeyTimes> {
  await page.evaluate((frames) => {
    const frame = () => new Promise<number>((resolve) => requestAnimationFrame(() => resolve(performance.now())));
    const count = () => document.querySelector(".list-count")?.textContent;
    const before = count();
    (globalThis as Measuring).measuredKey = new Promise((resolve) => {
      const onKey = async ({ timeStamp }: KeyboardEvent) => {
        // The frame after the one in which the field was drawn begins once that one was.
        await frame();
        const shownMs = await frame();
        let listedMs = shownMs;
        for (let left = frames; left > 0 && count() === before; left--) listedMs = await frame();
        resolve({ typed: shownMs - timeStamp, listed: count() === before ? undefined : listedMs - timeStamp });
      };
      addEventListener("keydown", (event) => void onKey(event), { once: true, capture: true });
    });
  }, LIST_WITHIN_FRAMES);
  await page.keyboard.press(key === " " ? "Space" : key);
  const times = await page.evaluate(() => (globalThis as Measuring).measuredKey);
  if (times === undefined) throw new Error("the page has measured nothing");
  return times;
}

/** Pauses and resumes clients that are on screen; ms from the call until the page shows it. */
export async function measureChange(page: Page, api: NodeApi, changes: number): Promise<number[]> {
  const tookMs: number[] = [];
  const [name = ""] = await new Panel(page).clients.names();
  for (let change = 0; change < changes; change++) {
    const paused = change % 2 === 0;
    const seen = page.evaluate(
      async ({ who, isPaused, withinMs }) => {
        const row = () => [...document.querySelectorAll("tbody tr")].find((one) => one.textContent?.includes(who));
        const begunMs = performance.now();
        while (row()?.textContent?.includes("Paused") !== isPaused) {
          if (performance.now() - begunMs > withinMs) throw new Error("the change was not shown");
          await new Promise(requestAnimationFrame);
        }
        return performance.timeOrigin + performance.now();
      },
      { who: name, isPaused: paused, withinMs: CHANGE_WITHIN_MS },
    );
    const askedMs = performance.timeOrigin + performance.now();
    await api.handlers[paused ? "clients.pause" : "clients.resume"]({ name }, CALLER);
    tookMs.push((await seen) - askedMs);
  }
  return tookMs;
}
