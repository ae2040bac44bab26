/**
 * What happened in a process, line by line in a file that outlives it:
 *
 * | line                             | meaning                                        |
 * | -------------------------------- | ---------------------------------------------- |
 * | `call <id> <kind>`               | a call was begun                               |
 * | `end <id> <outcome> <executed>`  | it settled: `ok` or the name of the error      |
 * | `by <id> <process> <ok or executed>` | what one process of a broadcast did        |
 * | `run <id>`                       | a callback began here, for the call `id`       |
 *
 * An id is `<process>.<life>.<number>`, with `#<index>` behind it for an item of a stream.
 *
 * @module
 */

const utf8 = new TextEncoder();

/** Writes lines that are with the system when the method returns, so that no kill loses them. */
export class Journal {
  readonly #file: Deno.FsFile;

  /** @param path The file. */
  constructor(path: string) {
    this.#file = Deno.openSync(path, { append: true, create: true });
  }

  /** Writes one line. */
  write(...words: string[]): void {
    const bytes = utf8.encode(`${words.join(" ")}\n`);
    if (this.#file.writeSync(bytes) !== bytes.length) throw new Error("the journal is torn");
  }
}

/** Reads what was written since it last was. */
export class JournalReader {
  readonly #path: string;
  #offset = 0;

  /** @param path The file. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The new lines, each as its words. A line that a kill has torn is left out. */
  read(): string[][] {
    using file = Deno.openSync(this.#path);
    file.seekSync(this.#offset, Deno.SeekMode.Start);
    const bytes = new Uint8Array(file.statSync().size - this.#offset);
    for (let at = 0; at < bytes.length;) {
      const count = file.readSync(bytes.subarray(at));
      if (count === null) break;
      at += count;
    }
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.#offset += end;
    if (end === 0) return [];
    return new TextDecoder().decode(bytes.subarray(0, end - 1)).split("\n")
      .map((line) => line.split(" "));
  }
}
