/**
 * A process of a system, as the runner sees it.
 *
 * @module
 */

import type { ProgramSpec } from "../system.ts";

/** What a program has said. */
export interface Said {
  readonly event: string;
  readonly [field: string]: unknown;
}

const LIMIT_MS = 120_000;

/** A running program. Ends when its standard input is closed. */
export class Child implements AsyncDisposable {
  /** What it is. */
  readonly role: ProgramSpec["role"];
  readonly #command: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #rest = "";
  #pid: number;

  /** Starts it. */
  constructor({ role, command, argument }: ProgramSpec, meeting: object) {
    this.role = role;
    this.#command = command.join(" ");
    this.#child = new Deno.Command(command[0]!, {
      args: [...command.slice(1), JSON.stringify({ ...meeting, ...argument })],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#pid = this.#child.pid;
    this.#input = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Waits until it is ready; gives what the next program must know. */
  async ready(): Promise<Record<string, unknown>> {
    const { event: _, pid = this.#pid, ...fields } = await this.#heard("ready");
    this.#pid = Number(pid);
    return fields;
  }

  /** Has it do something. */
  async ask(command: object): Promise<Said> {
    await this.#input.write(new TextEncoder().encode(JSON.stringify(command) + "\n"));
    return await this.#heard("answer");
  }

  async #heard(event: string): Promise<Said> {
    const timer = setTimeout(() => this.kill(), LIMIT_MS);
    try {
      while (true) {
        const end = this.#rest.indexOf("\n");
        if (end < 0) {
          const { value, done } = await this.#lines.read();
          if (done) throw new Error(`${this.#command} ended, or was too slow, before ${event}`);
          this.#rest += value;
          continue;
        }
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        if (!line.startsWith("{")) {
          console.error(line);
          continue;
        }
        const said: Said = JSON.parse(line);
        if (said.event === event) return said;
        throw new Error(`${this.#command} said ${line} instead of ${event}`);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** CPU time of all its threads so far, in seconds; `undefined` where there is no `/proc`. */
  cpuSeconds(): number | undefined {
    try {
      const stat = Deno.readTextFileSync(`/proc/${this.#pid}/stat`);
      // The fields behind the name, which is in parentheses and may hold anything.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    } catch {
      return undefined;
    }
  }

  /** Ends it without warning. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Ends it and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {}); // it has ended by itself
    const timer = setTimeout(() => this.kill(), 5_000);
    await this.#lines.cancel();
    await this.#child.status;
    clearTimeout(timer);
  }
}

/** `USER_HZ`, which is 100 on every Linux there is. */
const TICKS_PER_SECOND = 100;
