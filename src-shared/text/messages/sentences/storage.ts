/** Settings, database, logs. */
import type { Pair } from "../template.ts";

export const STORAGE_SENTENCES: readonly Pair[] = [
  ["The data folder {path} cannot be used: {reason}.", "Папкой данных {path} нельзя пользоваться: {reason}."],
  [
    "Make the folder writable for this user, or name another one with --data-dir.",
    "Разрешите этому пользователю запись в неё или задайте другую: --data-dir.",
  ],
  ["The database {path} cannot be opened: {reason}.", "Не удалось открыть базу данных {path}: {reason}."],
  [
    "Check the disk, the permissions of the file, and whether another program holds it.",
    "Проверьте диск, права на файл и не держит ли его другая программа.",
  ],
  [
    "The database was damaged. It was kept as {path}, and an empty one was begun.",
    "База данных повреждена. Она сохранена как {path}, начата новая, пустая.",
  ],
  [
    "To bring it back, repair it (sqlite3 FILE .recover), {how}.",
    "Чтобы вернуть её, восстановите файл (sqlite3 FILE .recover), {how}.",
  ],
  [
    "The database was written by a newer version of HiggsNode. It was kept as {path}, and an empty one was begun.",
    "Базу данных записала более новая версия HiggsNode. Она сохранена как {path}, начата новая, пустая.",
  ],
  [
    "To bring it back, install the newer version again, {how}.",
    "Чтобы вернуть её, снова установите более новую версию, {how}.",
  ],
  ["There is no setting {name}.", "Настройки {name} нет."],
  ["The settings are: {names}.", "Есть такие настройки: {names}."],
  ["There is no privacy setting {name}.", "Настройки приватности {name} нет."],
  ["The privacy settings are: {names}.", "Есть такие настройки приватности: {names}."],
  ["The setting was not changed: {key}: {text}.", "Настройка не изменена: {key}: {text}."],
  ["The setting was not changed: {reason}.", "Настройка не изменена: {reason}."],
  ["The settings could not be written: {reason}.", "Не удалось записать настройки: {reason}."],
  ["The settings file {path} {problem}.", "Файл настроек {path} неверен: {problem}."],
  [
    "Correct that line in a text editor, or move the file away to begin with the defaults; it was not changed.",
    "Исправьте эту строку в текстовом редакторе или уберите файл, чтобы начать с настроек по умолчанию; он не изменён.",
  ],
  ["The log {path} cannot be written: {reason}.", "Не удалось записать журнал {path}: {reason}."],
  ["Check its permissions.", "Проверьте права на него."],
  ["The cursor is not one that a page has given.", "Неизвестное место в журнале."],
  ["must be a private IPv4 prefix of length 16 to 30", "нужен частный префикс IPv4 длиной от 16 до 30"],
  [
    "must be a unique local or global IPv6 prefix of length 64 to 120",
    "нужен локальный или глобальный префикс IPv6 длиной от 64 до 120",
  ],
  ["must be a global IPv6 prefix", "нужен глобальный префикс IPv6"],
  ["must be host:port", "нужно указать узел:порт"],
  ["must be address:port", "нужно указать адрес:порт"],
  ["ws:// to other machines needs relayAllowPlain=true", "для ws:// к другим компьютерам нужно relayAllowPlain=true"],
];
