/** Whether guests reach the node, and what stands in between. */
import type { Pair } from "../template.ts";

export const REACHABILITY_SENTENCES: readonly Pair[] = [
  ["This computer has no IPv4 connection.", "У этого компьютера нет подключения по IPv4."],
  [
    "Two routers stand between this computer and the internet.",
    "Между этим компьютером и интернетом стоят два роутера.",
  ],
  [
    "Two routers stand between this computer and the internet ({inner} and {outer}).",
    "Между этим компьютером и интернетом стоят два роутера ({inner} и {outer}).",
  ],
  [
    "Two routers stand between this computer and the internet ({inner}).",
    "Между этим компьютером и интернетом стоят два роутера ({inner}).",
  ],
  [
    "Make the outer one forward to the inner one, or pass its public address on (bridge mode).",
    "Настройте на внешнем проброс порта на внутренний или режим моста, чтобы передать публичный адрес дальше.",
  ],
  [
    "Your provider shares one public address among several customers (carrier-grade NAT).",
    "Ваш провайдер делит один публичный адрес между несколькими абонентами (CGNAT).",
  ],
  [
    "Ask your provider for a public IPv4 address of your own.",
    "Попросите у провайдера собственный публичный адрес IPv4.",
  ],
  [
    "Your router has no public address: another router or your provider stands in front of it.",
    "У вашего роутера нет публичного адреса: перед ним стоит другой роутер или провайдер.",
  ],
  [
    "Your router has no public address of its own: another router or your provider stands in front of it.",
    "У вашего роутера нет собственного публичного адреса: перед ним стоит другой роутер или провайдер.",
  ],
  [
    "Put the router in front into bridge mode, or ask your provider for a public address.",
    "Переведите роутер перед ним в режим моста или попросите у провайдера публичный адрес.",
  ],
  [
    "Put the router in front into bridge mode, or ask your provider for a public address. The relay can carry guests meanwhile.",
    "Переведите роутер перед ним в режим моста или попросите у провайдера публичный адрес. Пока гости могут ходить через ретранслятор.",
  ],
  [
    "Your router says that its address is {claimed}, but the internet sees {seen}.",
    "Ваш роутер считает своим адрес {claimed}, но из интернета виден {seen}.",
  ],
  [
    "Another router or your provider translates once more; what your router grants leads nowhere.",
    "Адреса ещё раз подменяет другой роутер или провайдер; проброс на вашем роутере никуда не ведёт.",
  ],
  [
    "Neither the router nor anybody on the internet has told what stands in between.",
    "Ни роутер, ни кто-либо в интернете не сообщил, что стоит между ними.",
  ],
  [
    "The relay did not say in time whether this computer can be reached.",
    "Ретранслятор не успел сообщить, доступен ли этот компьютер.",
  ],
  [
    "Nobody on the internet was asked whether this computer can be reached, because no relay is set.",
    "Никого в интернете не спросили, доступен ли этот компьютер: ретранслятор не задан.",
  ],
  [
    "Name a relay in the settings; it also tries whether guests reach you without it.",
    "Укажите ретранслятор в настройках; он также проверит, доступны ли вы гостям без него.",
  ],
  [
    "Whether this computer can be reached is not known while the relay is not connected.",
    "Пока нет связи с ретранслятором, неизвестно, доступен ли этот компьютер.",
  ],
  [
    "This relay does not try whether guests reach you without it.",
    "Этот ретранслятор не проверяет, доступны ли вы гостям без него.",
  ],
  [
    "The relay does not try whether guests reach you without it.",
    "Ретранслятор не проверяет, доступны ли вы гостям без него.",
  ],
  [
    "The relay has no time to try whether guests reach you.",
    "Ретранслятору сейчас некогда проверять, доступны ли вы гостям.",
  ],
  [
    "The relay sees this computer under a private address, and does not try those.",
    "Ретранслятор видит этот компьютер под частным адресом, а такие он не проверяет.",
  ],
  [
    "The connection to the relay goes through a web proxy, so the relay can only try the proxy's address.",
    "Соединение с ретранслятором идёт через прокси, поэтому проверить он может только адрес прокси.",
  ],
  [
    "Your router says that it forwards the port, but nothing from the internet arrives.",
    "Роутер сообщает, что пробрасывает порт, но из интернета ничего не приходит.",
  ],
  [
    "Restart the router; if that does not help, forward the port by hand.",
    "Перезагрузите роутер; если не поможет, пробросьте порт вручную.",
  ],
  [
    "Nothing from the internet arrives at UDP port {port} of this computer.",
    "Из интернета на порт UDP {port} этого компьютера ничего не приходит.",
  ],
  ["A firewall in front of this computer may hold it back.", "Возможно, мешает брандмауэр перед этим компьютером."],
  [
    "Your router does not forward UDP port {port} to this computer.",
    "Ваш роутер не пробрасывает порт UDP {port} на этот компьютер.",
  ],
  [
    "Forward it by hand in the router's settings, or switch port mapping on.",
    "Пробросьте его вручную в настройках роутера или включите автоматический проброс.",
  ],
  ["The STUN server {host} has no IPv4 address.", "У сервера STUN {host} нет адреса IPv4."],
  ["The STUN server does not answer.", "Сервер STUN не отвечает."],
  [
    "Put the box from your provider into bridge mode (also called modem mode), so that your own router gets the public address.",
    "Переведите устройство провайдера в режим моста (режим модема), чтобы публичный адрес получил ваш роутер.",
  ],
  [
    "In the settings of the outer router ({outer}), forward UDP port {port} to your own router ({inner}), or name that router as exposed host (DMZ).",
    "В настройках внешнего роутера ({outer}) пробросьте порт UDP {port} на свой роутер ({inner}) или назначьте его узлом DMZ.",
  ],
  [
    "In the settings of the outer router, forward UDP port {port} to your own router ({inner}), or name that router as exposed host (DMZ).",
    "В настройках внешнего роутера пробросьте порт UDP {port} на свой роутер ({inner}) или назначьте его узлом DMZ.",
  ],
  [
    "In the settings of the outer router ({outer}), forward UDP port {port} to your own router, or name that router as exposed host (DMZ).",
    "В настройках внешнего роутера ({outer}) пробросьте порт UDP {port} на свой роутер или назначьте его узлом DMZ.",
  ],
  [
    "In the settings of the outer router, forward UDP port {port} to your own router, or name that router as exposed host (DMZ).",
    "В настройках внешнего роутера пробросьте порт UDP {port} на свой роутер или назначьте его узлом DMZ.",
  ],
  [
    "In your router's settings, switch on UPnP, NAT-PMP or PCP, or forward UDP port {port} to this computer by hand.",
    "В настройках роутера включите UPnP, NAT-PMP или PCP либо вручную пробросьте порт UDP {port} на этот компьютер.",
  ],
  [
    "Ask your provider for a public IPv4 address of your own; some give one for the asking, some for a fee.",
    "Попросите у провайдера собственный публичный адрес IPv4; одни дают его по просьбе, другие за плату.",
  ],
  [
    "Guests who have IPv6 can reach this computer over it, if your router lets them in.",
    "Гости с IPv6 могут приходить по нему, если роутер их пропускает.",
  ],
  [
    "Make sure that no firewall, neither on this computer nor on the router, holds back UDP port {port}.",
    "Убедитесь, что ни на этом компьютере, ни на роутере брандмауэр не закрывает порт UDP {port}.",
  ],
  [
    "Nothing has to be done at once: the relay carries your guests meanwhile.",
    "Срочно делать ничего не нужно: пока гостей обслуживает ретранслятор.",
  ],
  [
    "Name a relay in the settings; it carries guests where no router lets them in.",
    "Укажите в настройках ретранслятор: через него гости приходят там, где роутер их не пускает.",
  ],
  [
    "Nothing from the internet arrives at UDP port {port} of this computer over IPv6.",
    "Из интернета на порт UDP {port} этого компьютера по IPv6 ничего не приходит.",
  ],
  [
    "Allow the WireGuard port for this computer in your router's IPv6 firewall, and in this computer's own.",
    "Откройте порт WireGuard для этого компьютера в брандмауэре IPv6 роутера и на самом компьютере.",
  ],
];
