/**
 * Splits a stream of text into lines, with a cap: the framing of the helper socket and of the control
 * socket. The socket decodes UTF-8 (`setEncoding`), so a character never lies across two chunks.
 */
export class LineSplitter {
  #pieces: string[] = [];
  #length = 0;
  #maxLength: number;

  /** @param maxLength longest line in UTF-16 units, the newline not counted */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** Raises or lowers the cap for what comes next. */
  set maxLength(value: number) {
    this.#maxLength = value;
  }

  /**
   * The complete lines that `chunk` ends, without their newline. Throws RangeError as soon as a
   * line, finished or not, is longer than the cap; the caller closes the connection then.
   */
  *push(chunk: string): Generator<string> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf("\n", start);
      const piece = chunk.slice(start, end === -1 ? chunk.length : end);
      if (this.#length + piece.length > this.#maxLength) {
        this.#pieces = [];
        this.#length = 0;
        throw new RangeError(`a line is longer than ${this.#maxLength} characters`);
      }
      this.#pieces.push(piece);
      this.#length += piece.length;
      if (end === -1) return;
      const line = this.#pieces.join("");
      this.#pieces = [];
      this.#length = 0;
      yield line;
      start = end + 1;
    }
  }
}
