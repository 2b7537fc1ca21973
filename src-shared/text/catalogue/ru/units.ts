import type { units as en } from "../en/units.ts";
import type { Russian } from "../translated.ts";

export const units: Russian<typeof en> = {
  justNow: "только что",
  moment: "мгновение",
  size: { b: "Б", kib: "КиБ", mib: "МиБ", gib: "ГиБ", tib: "ТиБ", pib: "ПиБ" },
  decimal: { b: "Б", kb: "кБ", mb: "МБ", gb: "ГБ", tb: "ТБ" },
  rate: { bit: "бит/с", kbit: "кбит/с", mbit: "Мбит/с", gbit: "Гбит/с" },
};
