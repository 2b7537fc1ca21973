/** Shows what `notifications.ts` decides, as the system's own notifications. */
import { Notification } from "electron";
import type { Client } from "../../src-shared/model/client.ts";
import type { NodeState } from "../../src-shared/model/node-state.ts";
import { formatPercent } from "../../src-shared/text/format.ts";
import { NOTHING_SEEN, type Notice, noticesOfClients, noticesOfState } from "./notifications.ts";
import type { Words } from "./words.ts";

/** A burst, such as fifty guests after an evening's outage, is told by its first few. */
const MAX_AT_ONCE = 5;

export interface NotifierOptions {
  readonly words: () => Words;
  readonly onClick: () => void;
}

export class Notifier {
  readonly #options: NotifierOptions;
  #memory = NOTHING_SEEN;
  /** Held so that a click still finds its listener: an object that nobody holds may be collected. */
  readonly #shown = new Set<Notification>();

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  state(state: NodeState): void {
    const { memory, notices } = noticesOfState(this.#memory, state);
    this.#memory = memory;
    this.#show(notices);
  }

  clients(clients: readonly Client[]): void {
    const { memory, notices } = noticesOfClients(this.#memory, clients);
    this.#memory = memory;
    this.#show(notices);
  }

  /** Idempotent. */
  dispose(): void {
    for (const notification of this.#shown) notification.close();
    this.#shown.clear();
  }

  #show(notices: readonly Notice[]): void {
    if (notices.length === 0 || !Notification.isSupported()) return;
    for (const notice of notices.slice(0, MAX_AT_ONCE)) {
      const notification = new Notification(noticeTexts(notice, this.#options.words()));
      this.#shown.add(notification);
      notification.on("click", () => this.#options.onClick());
      notification.on("close", () => this.#shown.delete(notification));
      notification.show();
    }
  }
}

function noticeTexts(notice: Notice, { t, language, explain }: Words): { title: string; body: string } {
  switch (notice.kind) {
    case "offline":
      return { title: t("notifications.offline"), body: explain(notice.error) };
    case "online":
      return { title: t("notifications.online"), body: t("notifications.onlineDetail") };
    case "new-client":
      return {
        title: t("notifications.newClient", { name: notice.name }),
        body: t("notifications.newClientDetail"),
      };
    case "quota":
      return {
        title: t("notifications.quota", { name: notice.name, percent: formatPercent(notice.percent / 100, language) }),
        body: t("notifications.quotaDetail"),
      };
  }
}
