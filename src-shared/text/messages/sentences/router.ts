/** The router, and what it forwards. */
import type { Pair } from "../template.ts";

/** A sentence to which technical words may be added, as the node does it. */
function withDetail(english: string, russian: string): Pair[] {
  return [
    [english, russian],
    [`${english.slice(0, -1)} ({detail}).`, `${russian.slice(0, -1)} ({detail}).`],
  ];
}

export const ROUTER_SENTENCES: readonly Pair[] = [
  [
    "Switch on UPnP, NAT-PMP or PCP in your router's settings, or forward the port to this computer by hand.",
    "Включите UPnP, NAT-PMP или PCP в настройках роутера либо вручную пробросьте порт на этот компьютер.",
  ],
  [
    "Forward the port to this computer by hand in your router's settings, or restart the router.",
    "Вручную пробросьте порт на этот компьютер в настройках роутера или перезагрузите роутер.",
  ],
  ...withDetail("Port mapping was interrupted.", "Проброс порта прерван."),
  ...withDetail(
    "This network has no router that could forward a port.",
    "В этой сети нет роутера, который мог бы пробросить порт.",
  ),
  ["Connect the computer to your router.", "Подключите компьютер к роутеру."],
  ...withDetail(
    "Your router does not answer requests to forward a port.",
    "Роутер не отвечает на просьбы пробросить порт.",
  ),
  ...withDetail(
    "Your router offers no way to have a port forwarded.",
    "Роутер не умеет пробрасывать порты по просьбе.",
  ),
  ...withDetail(
    "Your router refuses to forward ports for this computer.",
    "Роутер отказывается пробрасывать порты для этого компьютера.",
  ),
  [
    "Allow it in your router's settings (UPnP or port mapping), or forward the port by hand.",
    "Разрешите это в настройках роутера (UPnP или проброс портов) или пробросьте порт вручную.",
  ],
  ...withDetail(
    "Every port that was tried is taken by another device on your router.",
    "Все испробованные порты на роутере заняты другими устройствами.",
  ),
  [
    "Remove old forwardings in your router's settings, or restart it.",
    "Удалите старые пробросы в настройках роутера или перезагрузите его.",
  ],
  ...withDetail("Your router has no room for another forwarding.", "На роутере нет места для ещё одного проброса."),
  ["Restart your router, or remove old forwardings.", "Перезагрузите роутер или удалите старые пробросы."],
  ...withDetail(
    "Your router does not support the forwarding that was asked for.",
    "Роутер не поддерживает нужный проброс.",
  ),
  ...withDetail(
    "Your router has no connection to the internet at present.",
    "У роутера сейчас нет связи с интернетом.",
  ),
  ["Check the router's own connection.", "Проверьте подключение самого роутера."],
  ...withDetail("Your router failed to forward the port.", "Роутер не смог пробросить порт."),
  ...withDetail("Your router has forgotten the forwarding.", "Роутер забыл о пробросе."),
  ...withDetail("Your router's answer makes no sense.", "Ответ роутера непонятен."),
  ...withDetail("Your router stopped in the middle of an answer.", "Роутер замолчал посреди ответа."),
  ...withDetail(
    "Your router announces UPnP but does not take connections.",
    "Роутер объявляет UPnP, но не принимает соединения.",
  ),
  ...withDetail("Your router refuses UPnP requests.", "Роутер отвергает запросы UPnP."),
  ...withDetail(
    "Your router's UPnP answer is larger than any real one.",
    "Ответ роутера по UPnP неправдоподобно велик.",
  ),
  ...withDetail(
    "Your router answers UPnP requests with something else.",
    "Роутер отвечает на запросы UPnP чем-то другим.",
  ),
  ...withDetail("Your router's UPnP offers no port mapping.", "UPnP на роутере не умеет пробрасывать порты."),
  ...withDetail(
    "Your router does not let devices open its IPv6 firewall.",
    "Роутер не разрешает устройствам открывать его брандмауэр IPv6.",
  ),
  [
    "Allow it in your router's settings, or allow the WireGuard port for this computer in its IPv6 firewall by hand.",
    "Разрешите это в настройках роутера или вручную откройте в его брандмауэре IPv6 порт WireGuard для этого компьютера.",
  ],
  ...withDetail(
    "Your router's IPv6 firewall is switched off, so there is nothing to open in it.",
    "Брандмауэр IPv6 на роутере выключен, открывать в нём нечего.",
  ),
  [
    "Guests may come in as it is; if they do not, your provider holds them back.",
    "Гости могут приходить и так; если не приходят, их не пускает провайдер.",
  ],
  ...withDetail(
    "A UPnP answer points to somebody else's address, and was not followed.",
    "Ответ UPnP указывает на чужой адрес, по нему не ходили.",
  ),
  ...withDetail(
    "This computer has left the network the router is in.",
    "Этот компьютер покинул сеть, в которой находится роутер.",
  ),
  ...withDetail("This computer could not send to the router.", "Этот компьютер не смог отправить запрос роутеру."),
  ["Check its firewall and its network connection.", "Проверьте его брандмауэр и подключение к сети."],
  [
    "Your router forwards the port, but has no public address of its own: another one stands in front of it.",
    "Роутер пробрасывает порт, но у него нет собственного публичного адреса: перед ним стоит другой.",
  ],
  [
    "The router in front of this computer does not tell its IPv6 address.",
    "Роутер перед этим компьютером не сообщает свой адрес IPv6.",
  ],
  [
    "Allow the WireGuard port for this computer in the router's IPv6 firewall by hand.",
    "Вручную откройте порт WireGuard для этого компьютера в брандмауэре IPv6 роутера.",
  ],
];
