/**
 * The shape of a translation: the keys of the English catalogue, neither more nor fewer, each a text. A key with a
 * plural (`people_one`, `people_other`) has every form of the other language's (CLDR: Russian has one, few, many,
 * other); `_zero` is a text of its own for none at all.
 */
export type Russian<T> = {
  readonly [K in RussianKey<keyof T & string>]: K extends keyof T
    ? T[K] extends string
      ? string
      : Russian<T[K]>
    : string;
};

type RussianKey<K extends string> = K extends `${infer Base}_one` | `${infer Base}_other`
  ? `${Base}_${"one" | "few" | "many" | "other"}`
  : K;
