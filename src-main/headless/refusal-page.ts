/** What somebody reads who is not let in, in English and Russian. */
import type { Language } from "../../src-shared/text/language.ts";

export interface Refusal {
  readonly status: number;
  readonly words: Readonly<Record<Language, string>>;
}

export const REFUSALS = {
  noAccess: {
    status: 401,
    words: {
      en: "This page needs its key. Open the address that HiggsNode printed when it started; the key is in it. It changes with every start.",
      ru: "Этой странице нужен ключ. Откройте адрес, который HiggsNode напечатал при запуске: ключ в нём. Он меняется при каждом запуске.",
    },
  },
  wrongHost: {
    status: 421,
    words: {
      en: "This address does not belong to HiggsNode's panel. Open the address that HiggsNode printed when it started.",
      ru: "Этот адрес не относится к панели HiggsNode. Откройте адрес, который HiggsNode напечатал при запуске.",
    },
  },
  wrongOrigin: {
    status: 403,
    words: {
      en: "Another website tried to open HiggsNode's panel, and was refused.",
      ru: "Другой сайт пытался открыть панель HiggsNode и получил отказ.",
    },
  },
  wrongMethod: {
    status: 405,
    words: { en: "The panel answers GET and HEAD only.", ru: "Панель отвечает только на GET и HEAD." },
  },
  badRequest: {
    status: 400,
    words: { en: "That is no address of the panel.", ru: "Такого адреса у панели нет." },
  },
  notFound: {
    status: 404,
    words: {
      en: "There is no such page. Go back to the panel's start page.",
      ru: "Такой страницы нет. Вернитесь на главную страницу панели.",
    },
  },
} as const satisfies Record<string, Refusal>;

export function refusalPage(language: Language, { words }: Refusal): string {
  return `<!doctype html>\n<html lang="${language}"><meta charset="utf-8"><title>HiggsNode</title><h1>HiggsNode</h1><p>${words[language]}</p></html>\n`;
}
