/**
 * Runs `examples/proc1.ts` and `examples/proc2.ts` with short pauses, each in a process of its own,
 * and checks that each prints what it should.
 *
 * ```sh
 * deno run -A tools/demo.ts [directory of proc1.ts and proc2.ts]
 * ```
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { Child } from "./child.ts";

/** What each program prints, and how often. */
const EXPECTED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  proc1: { "Calculated delta = 7": 10 },
  proc2: { "Func2 has been triggered!": 10, "Calculated sum is 10": 5 },
};

/** Pauses of the programs, as a part of what they are by default. */
const PACE = 0.1;

/** Options of {@linkcode demo}. */
export interface DemoOptions {
  /** Where `proc1.ts` and `proc2.ts` are. @default {`examples`} */
  directory?: string;
  /** How long it may take as a whole, in milliseconds. @default {13000} */
  limitMs?: number;
  /** Breaks it off. @default {none} */
  signal?: AbortSignal;
  /** Takes each line. @default {`console.log`} */
  print?: (line: string) => void;
}

/**
 * Runs both programs until `proc1` has ended and `proc2` has printed all that it should. Both have
 * ended when it returns, whatever happened.
 *
 * @returns What was not as it should be, nothing if all was.
 */
export async function demo(options: DemoOptions = {}): Promise<string[]> {
  const {
    directory = fromFileUrl(import.meta.resolve("../examples")),
    limitMs = 13_000,
    signal,
    print = console.log,
  } = options;
  const port = choosePort();
  print(`Two processes call each other over localhost:${port}.`);

  const over = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => over.reject(new Error(`it took longer than ${limitMs} ms`)),
    limitMs,
  );
  const onAbort = () => over.reject(new Error("it was broken off"));
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();

  const complete = Promise.withResolvers<void>();
  const start = (name: string): Child => {
    const args = [join(directory, `${name}.ts`), `${port}`, `${PACE}`];
    const child: Child = new Child(["run", "--no-prompt", "--allow-net", ...args], {
      onLine: (line) => {
        print(`[${name}] ${line}`);
        if (name === "proc2" && missing(name, child.stdout).length === 0) complete.resolve();
      },
    });
    return child;
  };
  const proc1 = start("proc1");
  const proc2 = start("proc2");
  const problems: string[] = [];
  try {
    await Promise.race([over.promise, follow(proc1, proc2, complete.promise)]);
  } catch (error) {
    problems.push((error as Error).message);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    for (const child of [proc1, proc2]) child.kill("SIGKILL");
    await Promise.all([proc1.status, proc2.status]);
  }
  return [...problems, ...missing("proc1", proc1.stdout), ...missing("proc2", proc2.stdout)];
}

/** Waits until `proc1` has ended, and stops `proc2` once it has printed everything. */
async function follow(proc1: Child, proc2: Child, complete: Promise<void>): Promise<void> {
  const tooEarly = proc2.status.then(({ code }): never => {
    throw new Error(`proc2 ended by itself, with exit code ${code}`);
  });
  tooEarly.catch(() => {}); // it does end, later
  const { code } = await Promise.race([proc1.status, tooEarly]);
  if (code !== 0) throw new Error(`proc1 ended with exit code ${code}`);
  await Promise.race([complete, tooEarly]);
  proc2.kill("SIGTERM"); // it stays until it is stopped
  const status = await proc2.status;
  // Windows has no SIGTERM: there the process is ended from outside.
  if (!status.success && Deno.build.os !== "windows") {
    throw new Error(`proc2 ended with exit code ${status.code} on SIGTERM`);
  }
}

/** What a program did not print, or not as often as it should. */
function missing(name: string, lines: readonly string[]): string[] {
  return Object.entries(EXPECTED[name]!).flatMap(([line, times]) => {
    const seen = lines.filter((each) => each === line).length;
    return seen === times ? [] : [`${name} printed "${line}" ${seen} times instead of ${times}`];
  });
}

/** The usual port, or a free one if another program has it. */
function choosePort(): number {
  try {
    return freePort(8888);
  } catch {
    return freePort(0);
  }
}

function freePort(port: number): number {
  using listener = Deno.listen({ hostname: "localhost", port });
  return listener.addr.port;
}

if (import.meta.main) {
  const stop = new AbortController();
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const name of signals) Deno.addSignalListener(name, () => stop.abort());
  const began = performance.now();
  const [directory] = Deno.args;
  const problems = await demo({
    signal: stop.signal,
    ...(directory === undefined ? {} : { directory }),
  });
  for (const problem of problems) console.error(`demo: ${problem}`);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(problems.length === 0 ? `demo: all as expected, in ${seconds} s` : "demo: FAILED");
  Deno.exit(problems.length === 0 ? 0 : 1);
}
