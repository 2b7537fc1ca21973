/** The languages the interface speaks, and which of them an owner gets. */

export const LANGUAGES = ["en", "ru"] as const;
export type Language = (typeof LANGUAGES)[number];

/**
 * The owner's setting; `system` takes the first of the preferred languages (BCP 47, such as `ru-RU`) that there is,
 * else English.
 */
export function pickLanguage(setting: Language | "system", preferred: readonly string[]): Language {
  if (setting !== "system") return setting;
  for (const tag of preferred) {
    const primary = tag.toLowerCase().split(/[-_]/)[0];
    const known = LANGUAGES.find((language) => language === primary);
    if (known !== undefined) return known;
  }
  return "en";
}
