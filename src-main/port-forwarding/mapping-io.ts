/** The world around the mapping clients: time, chance, datagrams and HTTP, all handed in. */
import { randomBytes } from "node:crypto";
import { type Clock, systemClock } from "../../src-shared/clock.ts";
import { type Datagrams, systemDatagrams } from "./datagrams.ts";
import { type HttpExchange, systemHttp } from "./http-exchange.ts";

export interface MappingIo {
  clock: Clock;
  /** That many unpredictable octets. */
  randomBytes: (count: number) => Uint8Array;
  datagrams: Datagrams;
  http: HttpExchange;
}

export function systemIo(clock: Clock = systemClock): MappingIo {
  return { clock, randomBytes: (count) => randomBytes(count), datagrams: systemDatagrams, http: systemHttp(clock) };
}

/** An integer from `least` to `most`, both included; even enough for choosing ports and spreading timers. */
export function randomInteger(
  { randomBytes: octets }: Pick<MappingIo, "randomBytes">,
  least: number,
  most: number,
): number {
  const [a = 0, b = 0, c = 0, d = 0] = octets(4);
  const fraction = (a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32;
  return least + Math.floor(fraction * (most - least + 1));
}
