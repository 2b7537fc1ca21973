/** WireGuard keys are 32 bytes in standard base64: 43 characters and one `=` (wg(8)). */
import { z } from "zod";

/** The last character carries four bits only, so it is one of sixteen. */
const KEY = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

export const wireguardKeySchema = z.string().regex(KEY, "not a WireGuard key");
