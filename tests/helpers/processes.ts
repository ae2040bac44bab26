/**
 * Programs that a test runs as processes of their own, heard by the lines that they print.
 *
 * @module
 */

import { within } from "./soon.ts";

/** A line of a program's output: the JSON object in it. */
export interface ProgramEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** How to start a program. */
export interface ProgramOptions {
  /** Flags of `deno run`. @default {["--allow-all"]} */
  flags?: readonly string[];
  /** Working directory. @default {that of the test} */
  cwd?: string;
  /** Whether it can be told something by {@linkcode Program.tell}. @default {false} */
  listens?: boolean;
  /** A command that runs the program that is given behind it. @default {none} */
  through?: readonly string[];
  /** More arguments, as they are. @default {[]} */
  args?: readonly string[];
  /** Runs the file instead of Deno, without flags. @default {none} */
  runtime?: string | undefined;
}

interface Waiter {
  readonly name: string;
  readonly resolve: (event: ProgramEvent) => void;
  readonly reject: (error: Error) => void;
}

/** A running program, killed and reaped at the end of its scope. */
export class Program implements AsyncDisposable {
  /** What it wrote to its standard error so far. */
  stderr = "";
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #over: Promise<Deno.CommandStatus>;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #events: ProgramEvent[] = [];
  #waiters: Waiter[] = [];
  #ended = false;

  /**
   * Starts a program.
   *
   * @param file The program.
   * @param argument What it finds as JSON in its one argument.
   */
  constructor(file: URL | string, argument?: unknown, options: ProgramOptions = {}) {
    const { flags = ["--allow-all"], cwd, listens = false, through = [], args = [] } = options;
    const run = options.runtime === undefined
      ? [Deno.execPath(), "run", "--no-prompt", ...flags]
      : [options.runtime];
    this.#name = String(file).split("/").at(-1)!;
    const [command, ...before] = [...through, ...run];
    this.#child = new Deno.Command(command!, {
      args: [
        ...before,
        String(file),
        ...(argument === undefined ? [] : [JSON.stringify(argument)]),
        ...args,
      ],
      stdin: listens ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
      ...(cwd === undefined ? {} : { cwd }),
    }).spawn();
    if (listens) this.#stdin = this.#child.stdin.getWriter();
    this.#over = this.#run();
  }

  async #run(): Promise<Deno.CommandStatus> {
    const [status] = await Promise.all([this.#child.status, this.#readLines(), this.#readErrors()]);
    this.#ended = true;
    await this.#stdin?.close().catch(() => {});
    for (const { name, reject } of this.#waiters) reject(this.#endedBefore(name));
    return status;
  }

  async #readLines(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#onLine(line);
    }
    if (rest !== "") this.#onLine(rest);
  }

  async #readErrors(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.stderr += text;
    }
  }

  #onLine(line: string): void {
    const event: ProgramEvent = line.startsWith("{") ? JSON.parse(line) : { event: "line", line };
    const index = this.#waiters.findIndex(({ name }) => name === event.event);
    if (index < 0) this.#events.push(event);
    else this.#waiters.splice(index, 1)[0]!.resolve(event);
  }

  /** The next event of this name that was not given out yet; fails if the program ends before. */
  event(name: string, limitMs?: number): Promise<ProgramEvent> {
    const index = this.#events.findIndex(({ event }) => event === name);
    if (index >= 0) return Promise.resolve(this.#events.splice(index, 1)[0]!);
    if (this.#ended) return Promise.reject(this.#endedBefore(name));
    const { promise, resolve, reject } = Promise.withResolvers<ProgramEvent>();
    this.#waiters.push({ name, resolve, reject });
    return within(`The event ${name} of ${this.#name}`, promise, limitMs);
  }

  #endedBefore(name: string): Error {
    return new Error(`${this.#name} ended before its event ${name}; it wrote: ${this.stderr}`);
  }

  /** Writes a line of JSON to it; lost if it has ended. */
  tell(command: Record<string, unknown>): void {
    const line = new TextEncoder().encode(`${JSON.stringify(command)}\n`);
    this.#stdin!.write(line).catch(() => {});
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Sends a signal to the program. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for the end of the program. */
  ended(): Promise<Deno.CommandStatus> {
    return within(`The end of ${this.#name}`, this.#over);
  }

  /** Asks it to end, where the system knows how to, and waits for its end. */
  async endGracefully(): Promise<void> {
    if (Deno.build.os === "windows") return void await this.kill();
    this.signal("SIGTERM");
    const { code } = await this.ended();
    if (code !== 0) throw new Error(`${this.#name} ended with ${code}; it wrote: ${this.stderr}`);
  }

  /** Kills it without warning, and waits for its end. */
  async kill(): Promise<Deno.CommandStatus> {
    if (!this.#ended) {
      try {
        this.#child.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // it has ended in this moment
      }
    }
    return await this.ended();
  }

  /** The same as {@linkcode Program.kill}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
