/** What the node says, in Russian. */
import { units as english } from "../catalogue/en/units.ts";
import { units as russian } from "../catalogue/ru/units.ts";
import { detailInRussian } from "./details.ts";
import { GENERIC } from "./generic.ts";
import { localiserOf } from "./localiser.ts";
import { SENTENCES } from "./sentences/all.ts";

const SIZE = /^([0-9]+(?:\.[0-9]+)?) ([KMGTP]iB|B)$/;
const SIZE_UNITS = ["b", "kib", "mib", "gib", "tib", "pib"] as const;

/** A size, such as `1.5 GiB`, with a comma and the Russian unit; any other value as it is. */
function sizeInRussian(value: string): string {
  const [, amount, unit] = SIZE.exec(value) ?? [];
  const key = SIZE_UNITS.find((name) => english.size[name] === unit);
  return amount === undefined || key === undefined ? value : `${amount.replace(".", ",")}\u00a0${russian.size[key]}`;
}

export const inRussian = localiserOf({
  sentences: SENTENCES,
  general: GENERIC,
  value: (gap, english) => detailInRussian(gap, sizeInRussian(english)),
  codes: {
    ENETUNREACH: "туда нет пути",
    EHOSTUNREACH: "адресат недоступен",
    ECONNREFUSED: "там никто не слушает",
    ECONNRESET: "соединение оборвано",
    ETIMEDOUT: "нет ответа вовремя",
    ETIMEOUT: "нет ответа вовремя",
    ENOTFOUND: "такого имени нет",
    EAI_AGAIN: "служба имён не отвечает",
    ESERVFAIL: "сбой службы имён",
    EREFUSED: "служба имён отказала",
    EACCES: "нет прав",
    EPERM: "нет прав",
    EADDRINUSE: "адрес занят",
    ENOENT: "ничего нет",
    ENOSPC: "диск заполнен",
  },
});
