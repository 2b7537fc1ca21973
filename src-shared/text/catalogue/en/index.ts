import { clients } from "./clients.ts";
import { common } from "./common.ts";
import { headline } from "./headline.ts";
import { health } from "./health.ts";
import { network } from "./network.ts";
import { notifications } from "./notifications.ts";
import { overview } from "./overview.ts";
import { privacy } from "./privacy.ts";
import { settings } from "./settings.ts";
import { tray } from "./tray.ts";
import { units } from "./units.ts";
import { welcome } from "./welcome.ts";

/** Every text of panel, window and tray, in English: the catalogue whose keys the others follow. The CLI has its own words. */
export const en = {
  common,
  headline,
  tray,
  notifications,
  overview,
  clients,
  network,
  privacy,
  health,
  settings,
  welcome,
  units,
} as const;
