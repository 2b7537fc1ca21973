import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CheckResult } from "../../model/diagnosis.ts";
import { localiseCheck, localiseError, localiseText } from "./localise.ts";
import { compile, MAX_TEXT_CHARACTERS } from "./template.ts";

describe("an error in Russian", () => {
  it("says the same with the same values, under the same code", () => {
    const error = {
      code: "client-exists",
      message: "There is a client named Anna's phone already.",
      hint: "Choose another name.",
    };
    expect(localiseError(error, "ru")).toEqual({
      code: "client-exists",
      message: "Гость с именем Anna's phone уже есть.",
      hint: "Выберите другое имя.",
    });
    expect(localiseError(error, "en")).toEqual(error);
  });

  it("keeps to a sentence that begins small", () => {
    const { message } = localiseError(
      { code: "not-running", message: "no node is running with this data directory" },
      "ru",
    );
    expect(message).toBe("с этой папкой данных не работает ни один узел");
  });

  it("is said in general words where its own are not known, with what a program has said", () => {
    expect(localiseError({ code: "client-exists", message: "Who knows." }, "ru").message).toBe(
      "Гость с таким именем уже есть.",
    );
    expect(localiseError({ code: "firewall-refused", message: "iptables: exit 4" }, "ru").message).toBe(
      "Система не приняла правила брандмауэра: iptables: exit 4",
    );
  });

  it("stays English where nothing is known of it", () => {
    const error = { code: "from-the-future", message: "Something new.", hint: "Do something." };
    expect(localiseError(error, "ru")).toEqual(error);
    expect(localiseError({ code: "constructor", message: "Odd." }, "ru").message).toBe("Odd.");
  });

  it("tells technical words that the router's failures carry", () => {
    const { message } = localiseError(
      { code: "router-error", message: "Your router failed to forward the port (UPnP 501)." },
      "ru",
    );
    expect(message).toBe("Роутер не смог пробросить порт (UPnP 501).");
  });
});

describe("a setting that was refused", () => {
  it("is named as it is typed, with the reason in Russian", () => {
    const message = "The setting was not changed: guestIpv4: must be a private IPv4 prefix of length 16 to 30.";
    expect(localiseError({ code: "settings-invalid", message }, "ru").message).toBe(
      "Настройка не изменена: guestIpv4: нужен частный префикс IPv4 длиной от 16 до 30.",
    );
  });
});

describe("a size in a sentence", () => {
  it("has the unit and the comma of the language", () => {
    expect(localiseText("1.5 GiB are free for /var/lib.", "ru")).toBe("Для /var/lib свободно 1,5\u00a0ГиБ.");
    expect(localiseText("312 B are free for /var/lib.", "ru")).toBe("Для /var/lib свободно 312\u00a0Б.");
    expect(localiseText("plenty are free for /srv/9 GiB.", "ru")).toBe("Для /srv/9 GiB свободно plenty.");
  });
});

describe("a check in Russian", () => {
  const check: CheckResult = {
    id: "wireguard.port",
    group: "wireguard",
    title: "The WireGuard port is free, or ours",
    outcome: "fail",
    detail: "UDP 51820 is used by another program.",
    fix: "Stop that program, or choose another port: higgsnode settings set listenPort=51821",
    durationMs: 3,
  };

  it("has title, detail and remedy, and commands as they are typed", () => {
    const russian = localiseCheck(check, "ru");
    expect(russian).toMatchObject({ id: check.id, outcome: "fail", durationMs: 3 });
    expect(russian.title).toBe("Порт WireGuard свободен или наш");
    expect(russian.detail).toBe("UDP 51820 занят другой программой.");
    expect(russian.fix).toContain("higgsnode settings set listenPort=51821");
    expect(localiseCheck(check, "en")).toEqual(check);
  });

  it("says what is said within a sentence, and sentences in a row", () => {
    expect(localiseText("Not looked at: this needs root. Run it with sudo.", "ru")).toBe(
      "Не проверялось: для этого нужны права root. Запустите через sudo.",
    );
    expect(localiseText("Nobody answered. Look at the firewall: higgsnode diagnose", "ru")).toBe(
      "Никто не ответил. Проверьте брандмауэр: higgsnode diagnose",
    );
  });

  it("leaves alone what only looks like one of its sentences", () => {
    for (const text of ["The house of cards.", "Anna went through Berlin.", "A door is down.", "Xyzzy {name}", ""]) {
      expect(localiseText(text, "ru")).toBe(text);
    }
  });
});

describe("a detail within a sentence", () => {
  it.each([
    ["A temporary guest was told: no answer within 2000 ms.", "Временному гостю ответили: нет ответа за 2000 мс."],
    ["A temporary guest was told: ENETUNREACH.", "Временному гостю ответили: туда нет пути."],
    ["Logged: connections and names.", "Записывается: соединения и имена."],
    [
      "No rule of this machine stands in its way. 3 rules apply.",
      "Ни одно правило этого компьютера ему не мешает. Применимых правил: 3.",
    ],
  ])("is Russian: %s", (english, russian) => {
    expect(localiseText(english, "ru")).toBe(russian);
  });

  it("is said in words where the system has only a code, in English as well", () => {
    expect(localiseText("A temporary guest was told: ENETUNREACH.", "en")).toBe(
      "A temporary guest was told: no way there.",
    );
    expect(localiseText("EWHATEVER happened to EVERYBODY.", "en")).toBe("EWHATEVER happened to EVERYBODY.");
  });

  it("leaves a guest's name alone, whatever it is", () => {
    expect(localiseText("There is a client named connections already.", "ru")).toContain("connections");
  });
});

describe("a template", () => {
  it("finds the values it was filled with", () => {
    const template = compile("Port {port} of {address} is taken by another program.");
    expect(template.match("Port 53 of 10.66.0.1 is taken by another program.")).toEqual(
      new Map([
        ["port", "53"],
        ["address", "10.66.0.1"],
      ]),
    );
    expect(template.match("Port x of 10.66.0.1 is taken by another program.")).toBeUndefined();
    expect(template.match("Port 53 of 10.66.0.1 is taken by another program. Now.")).toBeUndefined();
  });

  it("takes a text of any kind without failing, and none that is too long", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        expect(typeof localiseText(text, "ru")).toBe("string");
      }),
    );
    const long = `There is a client named ${"x".repeat(MAX_TEXT_CHARACTERS)} already.`;
    expect(localiseText(long, "ru")).toBe(long);
  });
});
