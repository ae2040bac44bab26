/**
 * Another Deno process whose lines are read as they come: for the demonstration and the examples.
 *
 * @module
 */

/** How a {@linkcode Child} is started. */
export interface ChildOptions {
  /** Called with each line of either output. */
  onLine?: (line: string) => void;
  /** Variables to add to its environment. */
  env?: Record<string, string>;
  /** What it reads from its standard input. */
  input?: string;
  /** Its working directory. */
  cwd?: string;
}

/** A running `deno`. */
export class Child {
  /** Lines of its standard output so far. */
  readonly stdout: string[] = [];
  /** Lines of its standard error so far. */
  readonly stderr: string[] = [];
  /** Its end, once all of its lines have been read. */
  readonly status: Promise<Deno.CommandStatus>;
  readonly #process: Deno.ChildProcess;

  /**
   * Starts it.
   *
   * @param args What to run, for example `["run", "main.ts"]`.
   * @param options What to do with its lines, and what it gets.
   */
  constructor(args: string[], { onLine = () => {}, env = {}, input, cwd }: ChildOptions = {}) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args,
      env: { ...env, NO_COLOR: "1" },
      ...(cwd === undefined ? {} : { cwd }),
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const { stdout, stderr, status } = this.#process;
    this.status = Promise.all([
      status,
      readLines(stdout, (line) => (this.stdout.push(line), onLine(line))),
      readLines(stderr, (line) => (this.stderr.push(line), onLine(line))),
      input === undefined ? undefined : write(this.#process.stdin, input),
    ]).then(([status]) => status);
  }

  /** Sends it a signal; does nothing if it has ended. */
  kill(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch {
      // It has ended already.
    }
  }
}

async function readLines(
  bytes: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop()!;
    lines.forEach(onLine);
  }
  if (rest !== "") onLine(rest);
}

async function write(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  await new Blob([text]).stream().pipeTo(stdin);
}
