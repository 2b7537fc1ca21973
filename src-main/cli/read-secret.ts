/** A secret from stdin: typed without being shown, or the first line of a pipe. */
import { createInterface } from "node:readline";
import { PassThrough, type Readable, type Writable } from "node:stream";

/** Far more than the longest password; whoever pipes a file in by mistake is not read to its end. */
const MAX_CHARACTERS = 4_096;

/** Resolves with an empty text where stdin ends, or the person presses Ctrl+C, before a line is complete. */
export async function readSecret(
  input: Readable & { isTTY?: boolean },
  stderr: Pick<Writable, "write">,
  prompt: string,
): Promise<string> {
  if (input.isTTY !== true) return firstLine(input);
  stderr.write(prompt);
  const secret = await typedLine(input);
  stderr.write("\n");
  return secret;
}

function typedLine(input: Readable): Promise<string> {
  // readline echoes to its output; this one goes nowhere.
  const lines = createInterface({ input, output: new PassThrough().resume(), terminal: true });
  return new Promise((resolve) => {
    lines.once("line", (line) => {
      resolve(line);
      lines.close();
    });
    lines.once("close", () => resolve(""));
  });
}

async function firstLine(input: Readable): Promise<string> {
  let text = "";
  input.setEncoding("utf8");
  for await (const chunk of input) {
    text += String(chunk);
    if (text.includes("\n") || text.length > MAX_CHARACTERS) break;
  }
  return (text.split("\n")[0] ?? "").replace(/\r$/, "").slice(0, MAX_CHARACTERS);
}
