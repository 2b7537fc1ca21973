/** Deflate for long control messages (RFC 1951, without a header), with the cap that inflating needs. */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { ControlCompression } from "../../src-shared/relay/control.ts";

export const compression: ControlCompression = {
  deflateRaw: (bytes) => deflateRawSync(bytes),
  inflateRaw: (bytes, maxBytes) => inflateRawSync(bytes, { maxOutputLength: maxBytes }),
};
