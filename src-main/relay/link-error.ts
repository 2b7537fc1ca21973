/** Why a connection to a relay ended, in words for its owner. */
import { CLOSE_CODE } from "../../src-shared/relay/control.ts";
import type { HiggsError } from "../../src-shared/result.ts";

/** What OpenSSL and Node say of a certificate that is not to be trusted. */
const UNTRUSTED =
  /^(?:CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED_CERT|ERR_TLS_CERT|HOSTNAME_MISMATCH|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|PATH_LENGTH)/;
/** A relay's own words may be shown, not trusted. */
const MAX_PEER_TEXT_CHARACTERS = 200;

/** A connection that did not come about or broke. Codes: `relay-untrusted`, `relay-unreachable`. */
export function errorOfConnection(error: Error): HiggsError {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (UNTRUSTED.test(code)) {
    return {
      code: "relay-untrusted",
      message: `The relay's certificate is not trusted (${code}).`,
      hint: "If the relay has an authority of its own, name it: higgsnode settings set relayCaFile=/path/to/ca.pem",
    };
  }
  const reason = plain(error.message === "" ? code : error.message);
  return { code: "relay-unreachable", message: `The relay cannot be reached: ${reason}` };
}

/** A close frame, or none (1006). Codes: `relay-restarts`, `relay-replaced`, `relay-refused`, `relay-lost`. */
export function errorOfClose(code: number, reason: string): HiggsError {
  switch (code) {
    case CLOSE_CODE.restart:
      return { code: "relay-restarts", message: "The relay is being restarted." };
    case CLOSE_CODE.replaced:
      return {
        code: "relay-replaced",
        message: "Another program with this node's identity is connected to the relay.",
        hint: "A copy of this data directory may be running elsewhere: stop it.",
      };
    case CLOSE_CODE.unauthorised:
    case CLOSE_CODE.unknownNode:
    case CLOSE_CODE.busy:
      return { code: "relay-refused", message: `The relay refused: ${plain(reason)}` };
    default:
      return { code: "relay-lost", message: `The connection to the relay was lost (${code}).` };
  }
}

/** What a relay said before it closed. */
export function errorOfPeer({ message, hint }: { message: string; hint?: string | undefined }): HiggsError {
  const said = { code: "relay-refused", message: `The relay refused: ${plain(message)}` };
  return hint === undefined ? said : { ...said, hint: plain(hint) };
}

function plain(text: string): string {
  return text
    .replace(/[\p{C}\s]+/gu, " ")
    .trim()
    .slice(0, MAX_PEER_TEXT_CHARACTERS);
}
