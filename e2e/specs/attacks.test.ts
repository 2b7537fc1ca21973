import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClient } from "../hosts/scripted-clients.ts";
import { degraded, failed } from "../hosts/scripted-faults.ts";
import { ScriptedHost } from "../hosts/scripted-host.ts";
import { CHECKS, HISTORY, LOG, REPORT } from "../hosts/scripted-records.ts";
import { aWorld, sharing } from "../hosts/scripted-states.ts";
import { RELAY_CONNECTED } from "../hosts/scripted-ways.ts";
import { WebHost } from "../hosts/web-host.ts";
import { pollUntil, requireLab } from "../lab/index.ts";
import { unfold } from "../pages/layout-faults.ts";
import { SCREENS } from "../pages/panel.ts";
import { expectText } from "./expect-text.ts";

/** Tells of itself if it is ever taken for more than text. */
const SCRIPT = `<img src=x onerror="globalThis.ran=1"><script>globalThis.ran=1</script>`;

function hasRun(page: Page): Promise<boolean> {
  return page.evaluate(() => "ran" in globalThis);
}

describe("a node that says what no node of ours says", () => {
  let host: ScriptedHost;
  beforeAll(async () => {
    host = await ScriptedHost.start();
  });
  afterAll(() => host?.close());

  it("cannot have anything run: a client's name, an error, a record, a check, a report are text", async () => {
    const error = { code: "internal", message: SCRIPT, hint: `${SCRIPT} Run: ${SCRIPT}` };
    const clients = [aClient({ name: SCRIPT, limit: { down: "1mbit", state: "limited" } })];
    const relay = { ...RELAY_CONNECTED, url: `javascript:globalThis.ran=1//${SCRIPT}` };
    const { node, panel, page, complaints } = await host.open(aWorld({ clients, node: { ...degraded(), relay } }));
    node.answer("privacy.log", async () => ({
      entries: LOG.map((entry) => ({ ...entry, clientName: SCRIPT })),
      next: null,
    }));
    node.answer("health.history", async () => ({ events: HISTORY.map((event) => ({ ...event, error })), more: false }));
    node.answer("diagnose.report", async () => ({ ...REPORT, text: SCRIPT }));
    node.answer("diagnose.run", async () => ({
      version: SCRIPT,
      finishedAt: REPORT.createdAt,
      nodePhase: null,
      outcome: "fail",
      checks: CHECKS.map((check) => ({ ...check, title: SCRIPT, detail: SCRIPT, fix: SCRIPT })),
    }));
    for (const screen of SCREENS) {
      await panel.goTo(screen);
      if (screen === "health") {
        await panel.health.runDiagnosis.click();
        await panel.health.runAgain.waitFor();
        await panel.health.makeReport();
        await panel.health.reportText.waitFor();
      }
      await unfold(page);
      await panel.page.waitForFunction(() => document.querySelector(".spinner[role=status]") === null);
    }
    await panel.goTo("clients");
    await expectText(panel.clients.list, SCRIPT);
    await panel.clients.button("remove", SCRIPT).click();
    await expectText(panel.dialog, `Remove ${SCRIPT}?`);
    await panel.clients.closeDialog();
    await panel.clients.button("show", SCRIPT).click();
    await panel.clients.qrCode(SCRIPT).waitFor();
    node.setNode(failed(error));
    await panel.clients.closeDialog();
    await panel.goTo("overview");
    await expectText(panel.overview.answer, "onerror");
    expect(await hasRun(page)).toBe(false);
    expect(await page.locator("main script, main img, main iframe, [onerror], a[href^='javascript']").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it.each([
    ["what is no JSON", "{"],
    ["what is no message", '{"hello":"there"}'],
    ["an event that there is not", '{"event":"node.exploded","payload":{}}'],
    ["a state that there is not", '{"event":"node.stateChanged","payload":{"run":"x","revision":9,"value":{}}}'],
    ["an answer that nobody asked for", '{"id":4711,"ok":true,"output":{}}'],
    ["a prototype", '{"event":"__proto__","payload":{"__proto__":{"ran":1}}}'],
    ["a megabyte of nothing", JSON.stringify({ event: "x".repeat(1_000_000), payload: null })],
  ])("does not disturb the page with %s", async (_, text) => {
    const { node, panel, page, complaints } = await host.open();
    await expectText(panel.overview.headline, "2 people");
    node.say(text);
    node.setNode(sharing({ clients: { total: 4, connected: 4 } }));
    await expectText(panel.overview.headline, "4 people");
    expect(await hasRun(page)).toBe(false);
    expect(complaints).toEqual([]);
  });

  it("is told that its answer makes no sense, and takes nothing down with it", async () => {
    const { node, panel } = await host.open();
    node.answer("traffic.totals", async () => ({ today: { rxBytes: 0, txBytes: 0 } }) as never);
    await panel.page.reload();
    await expectText(panel.overview.totals, "Try again");
    await expectText(panel.overview.headline, "2 people");
  });
});

/** Another page in the owner's browser, on another port: the same site to cookies, another origin to everything else. */
async function serveEvil(): Promise<Server> {
  const server = createServer((_, response) => {
    response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>evil</title>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

describe.skipIf(!requireLab())("the panel of a running node under attack", () => {
  let host: WebHost;
  let evil: Server;
  let evilUrl: string;

  beforeAll(async () => {
    [host, evil] = await Promise.all([WebHost.create(), serveEvil()]);
    evilUrl = `http://127.0.0.1:${(evil.address() as AddressInfo).port}/`;
    await host.page.goto(await host.startNew());
    await host.panel.welcome.share.click();
    await host.page.getByText("Sharing is on.").waitFor();
  });
  afterAll(async () => {
    evil?.close();
    evil?.closeAllConnections();
    await host?.close();
  });

  async function phase(): Promise<string> {
    return (JSON.parse(await host.node.mustRun(["status", "--json"])) as { node: { phase: string } }).node.phase;
  }

  function log(): string {
    return readFileSync(join(host.node.dataFolder, "logs", "higgsnode.log"), "utf8");
  }

  /** Opens a WebSocket from the page and tells how it went: what came back to one message, or that it was refused. */
  function askFrom(page: Page, address: string, message: object | string): Promise<string> {
    const text = typeof message === "string" ? message : JSON.stringify(message);
    return page.evaluate(
      ([url, sent]) =>
        new Promise<string>((resolve) => {
          const socket = new WebSocket(url ?? "");
          socket.onopen = () => socket.send(sent ?? "");
          socket.onmessage = ({ data }) => resolve(String(data));
          socket.onclose = ({ code }) => resolve(`closed ${code}`);
        }),
      [address, text],
    );
  }

  const socketUrl = () => `ws://127.0.0.1:${host.bridge.port}/api`;

  it("refuses a script as a client's name, on the form and behind it", async () => {
    const refused = await askFrom(host.page, socketUrl(), { id: 1, call: "clients.add", input: { name: SCRIPT } });
    expect(JSON.parse(refused)).toMatchObject({ ok: false, error: { code: "bad-input" } });
    expect((await host.node.run(["client", "add", SCRIPT])).code).not.toBe(0);
    expect(JSON.parse(await host.node.mustRun(["client", "list", "--json"]))).toEqual([]);
  });

  it("refuses calls that there are not, and what is no call, and goes on", async () => {
    const unknown = await askFrom(host.page, socketUrl(), { id: 1, call: "node.explode" });
    expect(JSON.parse(unknown)).toMatchObject({ ok: false });
    expect(JSON.parse(await askFrom(host.page, socketUrl(), "no json"))).toMatchObject({ ok: false });
    expect(await askFrom(host.page, socketUrl(), "x".repeat(300_000))).toMatch(/closed 100|"ok":false/);
    expect(await phase()).toBe("running");
  });

  it("runs nothing that is written into the page, sends nothing elsewhere, frames nothing", async () => {
    const { page } = host;
    const tried = await page.evaluate(async (elsewhere) => {
      const script = document.createElement("script");
      script.textContent = "globalThis.ran = 1";
      document.body.append(script);
      const button = document.createElement("button");
      button.setAttribute("onclick", "globalThis.ran = 1");
      button.click();
      const frame = document.createElement("iframe");
      frame.src = elsewhere;
      document.body.append(frame);
      const image = new Image();
      const seen = new Promise((resolve) => {
        image.onload = () => resolve("loaded");
        image.onerror = () => resolve("refused");
      });
      image.src = `${elsewhere}secret.png`;
      const form = document.createElement("form");
      form.action = elsewhere;
      document.body.append(form);
      form.submit();
      const asked = fetch(elsewhere).then(
        () => "fetched",
        () => "refused",
      );
      // Later, because what a test evaluates may itself compile.
      const compiled = new Promise((resolve) => {
        setTimeout(() => {
          try {
            resolve(new Function("return 'compiled'")());
          } catch {
            resolve("refused");
          }
        });
      });
      return [await seen, await asked, await compiled];
    }, evilUrl);
    expect(tried).toEqual(["refused", "refused", "refused"]);
    expect(await hasRun(page)).toBe(false);
    expect(page.url()).toContain(`:${host.bridge.port}/`);
    for (const frame of page.frames().slice(1)) expect(frame.url()).not.toBe(evilUrl);
    await page.reload();
  });

  it("is of no use to another page in the same browser, which has the owner's cookie", async () => {
    const page = await host.context.newPage();
    await page.goto(evilUrl);
    const panelUrl = `http://127.0.0.1:${host.bridge.port}/`;
    expect(await askFrom(page, socketUrl(), { id: 1, call: "node.off" })).toBe("closed 1006");
    const fetched = await page.evaluate(async (url) => {
      const read = (mode: RequestMode) =>
        fetch(url, { credentials: "include", mode }).then(
          async (answer) => (await answer.text()).length,
          () => "refused",
        );
      return [await read("cors"), await read("no-cors")];
    }, panelUrl);
    // Without CORS a page may ask, and is told nothing of the answer.
    expect(fetched).toEqual(["refused", expect.toBeOneOf([0, "refused"])]);
    const framed = await page.evaluate(async (url) => {
      const frame = document.createElement("iframe");
      const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
      frame.src = url;
      document.body.append(frame);
      await loaded;
      return frame.contentDocument === null ? "out of reach" : frame.contentDocument.title;
    }, panelUrl);
    expect(framed).toBe("out of reach");
    const inFrame = page.frames().find((frame) => frame !== page.mainFrame());
    expect(await inFrame?.getByRole("navigation").count()).toBe(0);
    const handle = await page.evaluate(async (url) => {
      const popup = window.open(url);
      const gone = () => popup === null || popup.closed;
      for (let turn = 0; turn < 200 && !gone(); turn++) await new Promise((resolve) => setTimeout(resolve, 25));
      return gone() ? "severed" : "held";
    }, panelUrl);
    expect(handle).toBe("severed");
    await page.close();
    expect(await phase()).toBe("running");
  });

  it("is not shown to a browser that has neither the address nor the cookie", async () => {
    const context = await host.browser.newContext();
    const page = await context.newPage();
    const answer = await page.goto(`http://127.0.0.1:${host.bridge.port}/`);
    expect(answer?.status()).toBe(401);
    expect(await page.getByRole("navigation").count()).toBe(0);
    const guessed = await page.goto(`http://127.0.0.1:${host.bridge.port}/?token=${"A".repeat(43)}`);
    expect(guessed?.status()).toBe(401);
    await context.close();
  });

  it("has written down what it refused", async () => {
    await pollUntil("the refusals in the log", () => /refused/.test(log()) && /WebSocket/.test(log()), {
      timeoutMs: 10_000,
    });
    expect(log()).not.toContain("onerror");
  });
});
