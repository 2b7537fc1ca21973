/** Facts of the node's health. */
import type { Pair } from "../template.ts";

export const HEALTH_SENTENCES: readonly Pair[] = [
  ["The computer's clock was set forward by {seconds} seconds.", "Часы компьютера переведены вперёд на {seconds} с."],
  ["The computer's clock was set back by {seconds} seconds.", "Часы компьютера переведены назад на {seconds} с."],
  [
    "Let the system keep its time by itself (NTP); everything was checked again.",
    "Пусть система сама следит за временем (NTP); всё уже проверено заново.",
  ],
  [
    "The computer's clock is wrong by years, so that secure connections fail.",
    "Часы компьютера ошибаются на годы, поэтому защищённые соединения не работают.",
  ],
  [
    "Set the date, and let the system keep its time by itself (NTP).",
    "Установите дату, и пусть система сама следит за временем (NTP).",
  ],
  [
    "Only {count} MiB are free where HiggsNode keeps its data.",
    "Там, где HiggsNode хранит данные, свободно только {count} МиБ.",
  ],
  [
    "Free some space: without it, settings, clients and logs cannot be saved.",
    "Освободите место: без него не сохранить настройки, гостей и журналы.",
  ],
  ["Guests' questions for names are not answered.", "Гости не получают ответов на запросы имён."],
  ["HiggsNode opens its name service anew by itself.", "HiggsNode сам перезапустит службу имён."],
  ["The name servers that this computer uses do not answer.", "Серверы имён этого компьютера не отвечают."],
  [
    "Look at this computer's DNS settings, or restart the router.",
    "Проверьте настройки DNS этого компьютера или перезагрузите роутер.",
  ],
  [
    "Nobody on the internet answers to the guests' IPv{family} connections.",
    "Никто в интернете не отвечает на соединения гостей по IPv{family}.",
  ],
  [
    "Look whether this computer itself can open a website; if not, restart the router or ask your provider.",
    "Проверьте, открываются ли сайты на самом этом компьютере; если нет, перезагрузите роутер или обратитесь к провайдеру.",
  ],
  [
    "Guests use IPv4 meanwhile. Ask your provider whether IPv6 works.",
    "Пока гости пользуются IPv4. Спросите провайдера, работает ли у него IPv6.",
  ],
  ["It still does not work.", "Всё ещё не работает."],
  [
    "HiggsNode repairs this by itself. Where it comes back, look at what else changes the network: higgsnode diagnose",
    "HiggsNode исправит это сам. Если повторяется, посмотрите, что ещё меняет сеть: higgsnode diagnose",
  ],
  [
    "Choose another guest network, or auto: higgsnode settings set guestIpv4=auto",
    "Выберите другую гостевую сеть или auto: higgsnode settings set guestIpv4=auto",
  ],
  [
    "The connection {name}, which leads to the internet, is not connected.",
    "Подключение {name}, ведущее в интернет, не активно.",
  ],
  [
    "Plug the cable in, or join the wireless network again.",
    "Подключите кабель или снова подключитесь к беспроводной сети.",
  ],
];
