/** The relay and the connection to it. */
import type { Pair } from "../template.ts";

export const RELAY_SENTENCES: readonly Pair[] = [
  ["The connection to the relay was lost.", "Связь с ретранслятором потеряна."],
  ["The connection to the relay was lost ({code}).", "Связь с ретранслятором потеряна ({code})."],
  ["The relay did not answer in time.", "Ретранслятор не ответил вовремя."],
  ["Nothing was heard from the relay for too long.", "От ретранслятора слишком долго ничего не слышно."],
  ["The connection was ended here.", "Соединение завершено с этой стороны."],
  ["The relay does not keep to the protocol: {reason}.", "Ретранслятор нарушает протокол: {reason}."],
  [
    "Ask its operator which version it runs, or use another relay.",
    "Спросите у его владельца, какая там версия, или возьмите другой ретранслятор.",
  ],
  ["The relay does not read what it is sent.", "Ретранслятор не принимает то, что ему отправляют."],
  ["The relay {host} is named with ws://.", "Ретранслятор {host} указан с ws://."],
  ["Name it with wss://.", "Укажите его с wss://."],
  [
    "The file with the relay's authority cannot be used: {reason}",
    "Файл с удостоверяющим центром ретранслятора не подходит: {reason}",
  ],
  [
    "Name a PEM file with: higgsnode settings set relayCaFile=/path/to/ca.pem",
    "Укажите файл PEM: higgsnode settings set relayCaFile=/path/to/ca.pem",
  ],
  ["cannot listen on UDP port {port}: {reason}", "не удалось слушать порт UDP {port}: {reason}"],
  ["Choose another port.", "Выберите другой порт."],
  ["No relay is named.", "Ретранслятор не указан."],
  ["No relay is named in the settings.", "В настройках не указан ретранслятор."],
  ["The node is not connected to the relay any more.", "Узел больше не связан с ретранслятором."],
  ["The node is not connected to a relay.", "Узел не связан с ретранслятором."],
  ["The node has not been connected to its relay yet.", "Узел ещё не связывался со своим ретранслятором."],
  ["The relay is being restarted.", "Ретранслятор перезапускается."],
  ["The relay's certificate is not trusted ({code}).", "Сертификату ретранслятора нельзя доверять ({code})."],
  [
    "If the relay has an authority of its own, name it: higgsnode settings set relayCaFile=/path/to/ca.pem",
    "Если у ретранслятора собственный удостоверяющий центр, укажите его: higgsnode settings set relayCaFile=/path/to/ca.pem",
  ],
  ["The relay cannot be reached: {reason}", "Не удалось связаться с ретранслятором: {reason}"],
  [
    "Another program with this node's identity is connected to the relay.",
    "К ретранслятору подключена другая программа с ключом этого узла.",
  ],
  [
    "A copy of this data directory may be running elsewhere: stop it.",
    "Возможно, где-то работает копия этой папки данных: остановите её.",
  ],
  ["The relay refused: {reason}", "Ретранслятор отказал: {reason}"],
  [
    "The proxy that this program's environment names cannot be used.",
    "Прокси, заданный в окружении программы, не подходит.",
  ],
  ["Set HTTPS_PROXY to http://HOST:PORT, or unset it.", "Задайте HTTPS_PROXY как http://HOST:PORT или уберите его."],
  ["The key of this node in {path} cannot be used: {reason}", "Ключ этого узла в {path} не подходит: {reason}"],
  [
    "Put the file back from a backup, or move it away: the node then gets a new place at the relay, and guests new configurations.",
    "Верните файл из резервной копии или уберите его: тогда узел получит на ретрансляторе новое место, а гости — новые конфигурации.",
  ],
  [
    "The relay's addresses are not known here, and the guest's tunnel must leave them out.",
    "Адреса ретранслятора здесь неизвестны, а в туннель гостя они попадать не должны.",
  ],
  [
    "Check that this computer can look up the relay's name, and turn sharing off and on.",
    "Проверьте, находит ли этот компьютер имя ретранслятора, затем выключите и включите общий доступ.",
  ],
  ["The relay goes by another name than the one that was dialled.", "Ретранслятор называет себя иначе, чем указано."],
  [
    "Name the relay as its operator does (the operator sets serverName).",
    "Укажите ретранслятор так, как его называет владелец (владелец задаёт serverName).",
  ],
  ["a control message is not JSON", "управляющее сообщение не в формате JSON"],
  ["a control message is invalid: {reason}", "неверное управляющее сообщение: {reason}"],
  ["a control message is longer than {count} bytes", "управляющее сообщение длиннее {count} байт"],
  ["a binary message is no deflated control message", "двоичное сообщение — не сжатое управляющее"],
  ["a deflated control message cannot be inflated", "не удалось распаковать управляющее сообщение"],
  [
    "This computer has left the network over which the relay was connected.",
    "Этот компьютер покинул сеть, через которую был связан с ретранслятором.",
  ],
  [
    "Another relay answers at the relay's other address.",
    "По другому адресу ретранслятора отвечает другой ретранслятор.",
  ],
  [
    "The relay is reached through a web proxy, whose address would be tried.",
    "Связь с ретранслятором идёт через прокси, и проверялся бы его адрес.",
  ],
  [
    "This relay tries only the address that the node is connected from.",
    "Этот ретранслятор проверяет только адрес, с которого подключён узел.",
  ],
];
