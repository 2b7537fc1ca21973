/** What the node says, in Russian. */
import { GENERIC } from "./generic.ts";
import { localiserOf } from "./localiser.ts";
import { SENTENCES } from "./sentences/all.ts";

export const inRussian = localiserOf(SENTENCES, GENERIC);
