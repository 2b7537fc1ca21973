/** Clients, their keys and their limits. */
import type { Pair } from "../template.ts";

export const CLIENT_SENTENCES: readonly Pair[] = [
  ["The guest network has no free address left.", "В гостевой сети не осталось свободных адресов."],
  [
    "Remove a client, or set a larger guest network (guestIpv4, guestIpv6).",
    "Удалите гостя или задайте гостевую сеть побольше (guestIpv4, guestIpv6).",
  ],
  ["Remove a client, or enlarge it.", "Удалите гостя или увеличьте сеть."],
  ["There is a client named {name} already.", "Гость с именем {name} уже есть."],
  ["Choose another name.", "Выберите другое имя."],
  ["A node has at most {count} clients.", "У узла может быть не больше {count} гостей."],
  ["Remove one first.", "Сначала удалите одного из них."],
  [
    "The private key of {name} was shown once and is not kept.",
    "Закрытый ключ гостя {name} показывается один раз и не хранится.",
  ],
  ["Make a new one with: {command}", "Создайте новый командой: {command}"],
  ["The clients could not be saved: {reason}.", "Не удалось сохранить гостей: {reason}."],
  ["Check the disk space.", "Проверьте, есть ли место на диске."],
  ["There is no client {name}.", "Гостя {name} нет."],
  ["`higgsnode client list` shows who there is.", "Список гостей показывает команда `higgsnode client list`."],
  ["{name} has no access at present.", "У гостя {name} сейчас нет доступа."],
  ["{name} is not limited at present.", "Скорость гостя {name} сейчас не ограничена."],
  ["The limit could not be saved: {reason}.", "Не удалось сохранить ограничение: {reason}."],
  ["The limit is not in the kernel at this moment.", "Сейчас ограничение не действует в ядре."],
  ["Try again in a moment.", "Попробуйте ещё раз через мгновение."],
  [
    "{value} is out of range: a limit is from {min} to {max}.",
    "{value} — недопустимое значение: ограничение может быть от {min} до {max}.",
  ],
  [
    "Clear the limit to let the guest use the whole connection.",
    "Снимите ограничение, чтобы гость мог пользоваться всем каналом.",
  ],
  ["{value} is not a rate.", "{value} — это не скорость."],
  ["Write it as 500kbit, 10mbit or 1gbit.", "Запишите её так: 500kbit, 10mbit или 1gbit."],
  ["{value} is not an amount of data from 1MB to 1000TB.", "{value} — это не объём данных от 1MB до 1000TB."],
  ["Write it as 500MB, 50GB or 1TB.", "Запишите его так: 500MB, 50GB или 1TB."],
  ["a name has at most 48 characters.", "в имени может быть не больше 48 символов."],
  [
    "a name begins with a letter or digit and has only letters, digits, spaces and . _ - '.",
    "имя начинается с буквы или цифры и состоит из букв, цифр, пробелов и знаков . _ - '",
  ],
  ["The node has no key before it has shared once.", "У узла нет ключа, пока доступ ни разу не включали."],
  ["Turn sharing on: higgsnode on", "Включите общий доступ: higgsnode on"],
  ["Turn sharing on first.", "Сначала включите общий доступ."],
  ["The guest network is too small for {name}.", "Гостевая сеть слишком мала для гостя {name}."],
  ["Choose a larger one.", "Выберите сеть побольше."],
  [
    "The guest network is too small: {count} client has no address in it.",
    "Гостевая сеть слишком мала: в ней нет адреса для {count} гостя.",
  ],
  [
    "The guest network is too small: {count} clients have no address in it.",
    "Гостевая сеть слишком мала: в ней нет адресов для гостей ({count}).",
  ],
  [
    "Choose a larger one, or auto: higgsnode settings set guestIpv4=auto",
    "Выберите сеть побольше или auto: higgsnode settings set guestIpv4=auto",
  ],
  ["It is not known where guests reach this node.", "Неизвестно, по какому адресу гости могут найти этот узел."],
  [
    "Turn sharing on, or say it yourself: higgsnode settings set publicEndpoint=home.example.org:51820",
    "Включите общий доступ или укажите адрес сами: higgsnode settings set publicEndpoint=home.example.org:51820",
  ],
];
