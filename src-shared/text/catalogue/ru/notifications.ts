import type { notifications as en } from "../en/notifications.ts";
import type { Russian } from "../translated.ts";

export const notifications: Russian<typeof en> = {
  offline: "HiggsNode не в сети",
  online: "HiggsNode снова в сети",
  newClient: "Новый гость: {{name}}",
  newClientDetail: "Первое подключение.",
  onlineDetail: "Гости снова могут пользоваться вашим подключением.",
  quotaDetail: "Посмотреть или изменить квоту можно в панели.",
  quota: "{{name}}: израсходовано {{percent}} трафика за месяц",
};
