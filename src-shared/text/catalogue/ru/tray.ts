import type { tray as en } from "../en/tray.ts";
import type { Russian } from "../translated.ts";

export const tray: Russian<typeof en> = {
  share: "Делиться подключением",
  open: "Открыть панель",
  quit: "Выйти",
  connected_zero: "Никто не подключён",
  connected_one: "Подключён {{count}} человек",
  connected_few: "Подключено {{count}} человека",
  connected_many: "Подключено {{count}} человек",
  connected_other: "Подключено {{count}} человека",
  unknown: "HiggsNode запускается",
  pauseLogging: "Приостановить журнал",
  quitQuestion: "Выйти из HiggsNode?",
  quitDetail: "Общий доступ выключится, а ваша сеть вернётся в прежнее состояние.",
  quitNow: "Выйти",
  stay: "Не выходить",
  crashed: "Окно раз за разом закрывается с ошибкой",
  crashedDetail: "Узел работает и без него. Чтобы попробовать ещё раз, откройте панель.",
};
