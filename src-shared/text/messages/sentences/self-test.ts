/** What the self-test and the packet trace find. */
import type { Pair } from "../template.ts";

export const SELF_TEST_SENTENCES: readonly Pair[] = [
  ["{addresses}, WireGuard in the kernel.", "{addresses}, WireGuard в ядре."],
  ["{addresses}, WireGuard in wireguard-go.", "{addresses}, WireGuard в wireguard-go."],
  ["The test was ended before.", "Проверку прервали раньше."],
  ["Without a handshake nothing gets through.", "Без рукопожатия ничего не проходит."],
  ["There was no guest.", "Гостя не было."],
  ["Nothing is left.", "Ничего не осталось."],
  ["Left: {names}.", "Осталось: {names}."],
  ["Answered after {ms} ms, on this computer.", "Ответ через {ms} мс, на этом компьютере."],
  ["Nobody answered.", "Никто не ответил."],
  ["Look at the firewall: higgsnode diagnose", "Проверьте брандмауэр: higgsnode diagnose"],
  ["Answered in {ms} ms ({detail}).", "Ответ за {ms} мс ({detail})."],
  ["No answer to a question ({detail}).", "Нет ответа на запрос ({detail})."],
  ["Check this computer's resolvers: /etc/resolv.conf", "Проверьте серверы имён этого компьютера: /etc/resolv.conf"],
  ["Try again.", "Попробуйте ещё раз."],
  // Before the shorter one, whose gap would take the second sentence in.
  ["Nothing answers: {tried}. Guests fall back to IPv4.", "Никто не отвечает: {tried}. Гости переходят на IPv4."],
  ["Nothing answers: {tried}.", "Никто не отвечает: {tried}."],
  ["{address} answered in {ms} ms.", "{address} ответил за {ms} мс."],
  ["Guests fall back to IPv4.", "Гости переходят на IPv4."],
  ["Find the rule: higgsnode diagnose trace CLIENT ADDRESS:PORT", "Проследите пакет ниже."],
  ["The target does not answer echo requests.", "Цель не отвечает на эхо-запросы."],
  ["Up to {count} bytes, the whole tunnel.", "До {count} байт, весь туннель."],
  [
    "Up to {count} of {wanted} bytes; larger ones vanish without a word.",
    "До {count} из {wanted} байт; более крупные пакеты молча пропадают.",
  ],
  ["Up to {count} of {wanted} bytes; the path says {told}.", "До {count} из {wanted} байт; путь сообщает {told}."],
  [
    "Make the tunnel narrower: higgsnode settings set mtu={mtu}",
    "Уменьшите пакеты туннеля: higgsnode settings set mtu={mtu}",
  ],
  ["There is no router to try.", "Нет роутера, на котором это проверить."],
  [
    "You let guests reach {address} (allowedDestinations).",
    "Вы разрешили гостям доступ к {address} (allowedDestinations).",
  ],
  ["{address} does not answer this computer either.", "{address} не отвечает и этому компьютеру."],
  ["{address} answers this computer, and no guest.", "{address} отвечает этому компьютеру, но не гостям."],
  ["{address} answers guests.", "{address} отвечает гостям."],
  [
    "Turn sharing off, and report this: higgsnode off && higgsnode report",
    "Выключите общий доступ и сообщите об этом: higgsnode off && higgsnode report",
  ],
  [
    "No address of egressTargets offers plain HTTP (port 80 or 8080).",
    "Ни один адрес в egressTargets не отвечает по обычному HTTP (порт 80 или 8080).",
  ],
  [
    "{address} offers too little to measure with ({detail}).",
    "{address} отдаёт слишком мало для измерения ({detail}).",
  ],
  ["{rate} Mbit/s down, over {size} MiB.", "{rate} Мбит/с на приём, измерено на {size} МиБ."],
  ["A real packet got there and was answered.", "Настоящий пакет дошёл, и на него ответили."],
  ["A real packet was refused ({detail}).", "Настоящий пакет отвергнут ({detail})."],
  ["Nothing came back, which many services do not do anyway.", "Ответа не было, но многие службы и так не отвечают."],
  ["Nobody answered a real packet.", "На настоящий пакет никто не ответил."],
  ["It would come from a guest who is let in.", "Такой пакет пришёл бы от гостя, у которого есть доступ."],
  ["Somebody further on refuses it ({detail}).", "Его отвергает кто-то дальше по пути ({detail})."],
  ["The tunnel lets this client in no more: it is {rule}.", "Туннель больше не пускает этого гостя: {rule}."],
  ["Let it in again: higgsnode client resume NAME", "Пустите его снова: higgsnode client resume ИМЯ"],
  ["Look at: higgsnode client list", "Посмотрите: higgsnode client list"],
  [
    "The IPv{family} rules of this machine cannot be read.",
    "Не удалось прочитать правила IPv{family} этого компьютера.",
  ],
  ["This machine has no way to {address}: {reason}.", "У этого компьютера нет пути к {address}: {reason}."],
  [
    "Connect this machine to the internet, and look at: ip route",
    "Подключите этот компьютер к интернету и посмотрите: ip route",
  ],
  ["No rule of this machine stands in its way.", "Ни одно правило этого компьютера ему не мешает."],
  ["{owner} refuses it: {rule}", "{owner} отвергает его: {rule}"],
  ["A temporary guest was told: {detail}.", "Временному гостю ответили: {detail}."],
  [
    "{owner} refuses it ({rule}), unless a rule before that could not be judged lets it through.",
    "{owner} отвергает его ({rule}), если только его раньше не пропустит правило, которое не удалось оценить.",
  ],
  [
    "It passes unless one of {count} rules that could not be judged refuses it, the first of them {place}: {rule}",
    "Он проходит, если его не отвергнет одно из правил, которые не удалось оценить ({count}); первое из них {place}: {rule}",
  ],
  [
    "This is what guests are meant to be refused. To allow one destination: higgsnode settings set allowedDestinations=…",
    "Гостям это и должно быть запрещено. Разрешить одно назначение: higgsnode settings set allowedDestinations=…",
  ],
  [
    "Switch sharing off and on again, so that our rules are asked first: higgsnode off && higgsnode on",
    "Выключите и снова включите общий доступ, чтобы наши правила шли первыми: higgsnode off && higgsnode on",
  ],
  [
    "Look at it, and remove it if you do not need it: {command}",
    "Посмотрите на него и удалите, если оно не нужно: {command}",
  ],
];
