/** What a schema says of a value that does not fit, in words for a person at a terminal. */

/** The schema library's phrases (zod 4, English locale), and what they mean to whoever typed the value. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/Too small: expected \w+ to be >=(\S+?)(?=\.?$)/, "must be at least $1"],
  [/Too small: expected \w+ to be >(\S+?)(?=\.?$)/, "must be more than $1"],
  [/Too big: expected \w+ to be <=(\S+?)(?=\.?$)/, "must be at most $1"],
  [/Too big: expected \w+ to be <(\S+?)(?=\.?$)/, "must be less than $1"],
  [/Too small: expected \w+ to have >=(\d+) (?:items|characters)/, "must have at least $1 entries"],
  [/Too big: expected \w+ to have <=(\d+) items/, "must have at most $1 entries"],
  [/Too big: expected \w+ to have <=(\d+) characters/, "must have at most $1 characters"],
  [/Invalid input: expected boolean, received \w+/, "must be true or false"],
  [/Invalid input: expected (?:number|int), received \w+/, "must be a whole number"],
  [/Invalid input: expected array, received \w+/, `must be a list, such as '["one","two"]'`],
  [/Invalid input: expected (\w+), received \w+/, "must be a $1"],
];
const CHOICE = /Invalid option: expected one of ((?:"[^"]*"\|?)+)/;

/** The same sentence with a schema's phrase said plainly; any other sentence as it is. */
export function plainWords(message: string): string {
  const choice = CHOICE.exec(message);
  if (choice !== null) {
    const options = (choice[1] ?? "").replaceAll('"', "").split("|");
    return message.replace(choice[0], `must be one of ${options.join(", ")}`);
  }
  for (const [phrase, words] of PHRASES) if (phrase.test(message)) return message.replace(phrase, words);
  return message.replace(/Invalid input(?=\.?$)/, "is none of the values it can have");
}
