/** The tunnel, the firewall, the guests' prefixes, limits in the kernel, names. */
import type { Pair } from "../template.ts";

export const NETWORK_SENTENCES: readonly Pair[] = [
  ["Sharing is off.", "Общий доступ выключен."],
  ["Turn it on: higgsnode on", "Включите его: higgsnode on"],
  ["Sharing is off, so no guest gets through.", "Общий доступ выключен, поэтому гости не проходят."],
  ["The node does not share at present.", "Узел сейчас не раздаёт доступ."],
  ["Sharing was switched off meanwhile.", "Тем временем общий доступ выключили."],
  ["This computer has no internet connection.", "У этого компьютера нет подключения к интернету."],
  ["Connect it to your router and try again.", "Подключите его к роутеру и попробуйте ещё раз."],
  ["The network could not be put back: {reason}", "Не удалось вернуть сеть в прежнее состояние: {reason}"],
  ["Run: higgsnode restore-network", "Выполните: higgsnode restore-network"],
  ["The WireGuard interface {name} is gone.", "Интерфейс WireGuard {name} исчез."],
  ["The WireGuard interface {name} does not answer: {reason}.", "Интерфейс WireGuard {name} не отвечает: {reason}."],
  ["The WireGuard interface {name} was switched off.", "Интерфейс WireGuard {name} выключили."],
  ["WireGuard listens on port {seen}, not {wanted}.", "WireGuard слушает порт {seen}, а не {wanted}."],
  ["{count} of {total} clients are not set up.", "Не настроены гости: {count} из {total}."],
  ["{count} clients are set up that this node does not know.", "Настроены гости, которых этот узел не знает: {count}."],
  ["IPv4 forwarding was switched off on {name}.", "На {name} выключили пересылку IPv4."],
  ["IPv6 forwarding was switched off.", "Пересылку IPv6 выключили."],
  [
    "Another program changed our {family} firewall rules ({rule}).",
    "Другая программа изменила наши правила брандмауэра {family} ({rule}).",
  ],
  ["Our {family} firewall rules are gone.", "Наши правила брандмауэра {family} исчезли."],
  ["The {family} firewall cannot be read: {reason}.", "Не удалось прочитать брандмауэр {family}: {reason}."],
  [
    "The privileged helper has been restarted and holds no exit.",
    "Привилегированный помощник перезапущен и ничего не раздаёт.",
  ],
  [
    "The privileged helper holds another exit than this node's.",
    "Привилегированный помощник держит выход другого узла.",
  ],
  ["Another program changed our limits ({rule}).", "Другая программа изменила наши ограничения ({rule})."],
  ["Our limits are gone.", "Наши ограничения исчезли."],
  [
    "Every private IPv4 network that could be the guests' is used by a route of this machine.",
    "Все частные сети IPv4, которые могли бы стать гостевыми, заняты маршрутами этого компьютера.",
  ],
  [
    "Another VPN probably routes all private addresses: stop it, or set guestIpv4 to a network it leaves out.",
    "Вероятно, другой VPN забирает все частные адреса: остановите его или задайте в guestIpv4 сеть, которую он не трогает.",
  ],
  ["No unique local IPv6 network is free for the guests.", "Для гостей нет свободной локальной сети IPv6."],
  ["Set guestIpv6 to off.", "Задайте guestIpv6=off."],
  [
    "The guest network {guests} overlaps {other}, which this machine uses already.",
    "Гостевая сеть {guests} пересекается с {other}, которая на этом компьютере уже используется.",
  ],
  ["Set {name} to another network, or to auto.", "Задайте в {name} другую сеть или auto."],
  [
    "The guest network is {after} now, it was {before}: configurations given out before no longer fit.",
    "Гостевая сеть теперь {after}, была {before}: выданные раньше конфигурации больше не подходят.",
  ],
  ["Give every client its configuration again.", "Выдайте каждому гостю конфигурацию заново."],
  [
    "The guest network overlaps {other}, which this machine reaches through {name}.",
    "Гостевая сеть пересекается с {other}, в которую этот компьютер ходит через {name}.",
  ],
  [
    "Choose another guest network: higgsnode settings set guestIpv4=10.77.0.0/16",
    "Выберите другую гостевую сеть: higgsnode settings set guestIpv4=10.77.0.0/16",
  ],
  ["The firewall did not take our rules: {reason}", "Брандмауэр не принял наши правила: {reason}"],
  [
    "Another firewall program may be rewriting them; see higgsnode diagnose.",
    "Возможно, их переписывает другая программа; посмотрите: higgsnode diagnose.",
  ],
  [
    "This kernel may have no IPv6 NAT; IPv4 works without it.",
    "Возможно, в этом ядре нет NAT для IPv6; IPv4 работает и без него.",
  ],
  [
    "Check that the kernel has iptables NAT (higgsnode diagnose).",
    "Проверьте, есть ли в ядре NAT для iptables (higgsnode diagnose).",
  ],
  ["The nftables ruleset could not be read.", "Не удалось прочитать правила nftables."],
  ["There is already an interface {name} that is not ours.", "Интерфейс {name} уже есть, и он не наш."],
  ["Rename it, or remove it with: {command}", "Переименуйте его или удалите командой: {command}"],
  ["Rename or remove it ({command}).", "Переименуйте или удалите его ({command})."],
  ["This machine cannot limit guests: {reason}.", "Этот компьютер не может ограничивать скорость гостей: {reason}."],
  [
    "Install iproute2 and a kernel with sch_htb, cls_u32, act_mirred and ifb.",
    "Установите iproute2 и ядро с sch_htb, cls_u32, act_mirred и ifb.",
  ],
  ["The kernel does not have the limits that were set: {reason}.", "В ядре нет заданных ограничений: {reason}."],
  ["No WireGuard interface could be made: {reason}.", "Не удалось создать интерфейс WireGuard: {reason}."],
  [
    "Install the WireGuard kernel module or the package wireguard-go.",
    "Установите модуль ядра WireGuard или пакет wireguard-go.",
  ],
  ["UDP port {port} is used by another program.", "Порт UDP {port} занят другой программой."],
  [
    "Stop that program or choose another port: higgsnode settings set listenPort=51821.",
    "Остановите эту программу или выберите другой порт: higgsnode settings set listenPort=51821.",
  ],
  ["The interface {name} disappeared while it was set up.", "Интерфейс {name} исчез во время настройки."],
  [
    "The connection log is not available: conntrack is not installed.",
    "Журнал соединений недоступен: не установлен conntrack.",
  ],
  [
    "Install conntrack, on Debian with: sudo apt-get install conntrack",
    "Установите conntrack, в Debian: sudo apt-get install conntrack",
  ],
  ["The connection log is not available: conntrack: {reason}.", "Журнал соединений недоступен: conntrack: {reason}."],
  ["The DNS answerer was disposed of.", "Служба имён остановлена."],
  ["{value} is not an address with the length of its prefix.", "{value} — это не адрес с длиной префикса."],
  ["Port {port} of {address} is taken by another program.", "Порт {port} на {address} занят другой программой."],
  ["This machine does not have the address {address} at present.", "Сейчас у этого компьютера нет адреса {address}."],
  [
    "DNS cannot be answered on {address}, port {port}: {reason}.",
    "Нельзя отвечать на запросы DNS на {address}, порт {port}: {reason}.",
  ],
  [
    "No address is set that guests' IPv6 could be tried with.",
    "Не задан адрес, по которому можно проверить IPv6 гостей.",
  ],
  ["Name one: higgsnode settings set egressTargets=…", "Задайте его: higgsnode settings set egressTargets=…"],
  [
    "Nobody on the internet answers to the guests' IPv6 addresses; guests use IPv4.",
    "Никто в интернете не отвечает на адреса IPv6 гостей; гости пользуются IPv4.",
  ],
  [
    "Ask your provider whether IPv6 works. Where guests have addresses of their own, let them share this computer's instead, in the settings.",
    "Спросите провайдера, работает ли IPv6. Если у гостей свои адреса, пусть они пользуются адресом этого компьютера: это меняется в настройках.",
  ],
  ["{name} has no IPv{family} address.", "У гостя {name} нет адреса IPv{family}."],
  ["Choose a destination of the other family.", "Выберите назначение из другого семейства адресов."],
  ["this computer has no IPv6 connection", "у этого компьютера нет подключения по IPv6"],
];
