/**
 * Runs every program of `examples/` by the command that its first lines tell, and every program of
 * `README.md`, and compares what they print.
 *
 * ```sh
 * deno run -A tools/run_examples.ts
 * ```
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { pooledMap } from "@std/async";
import { fromFileUrl } from "@std/path";
import { Child, type ChildOptions } from "./child.ts";
import { demo } from "./demo.ts";
import { commandOf } from "./example_command.ts";
import { runWorkers, WORKERS } from "./run_workers.ts";

/** What an example prints. */
interface Example {
  /** Its lines; `…` stands for anything. */
  lines: string[];
  /** Lines that may come at any place. @default {none} */
  anyPlace?: RegExp;
  /** Whether it cannot run here. @default {false} */
  skip?: boolean;
  /** A program that runs beside it until it is stopped; both are given a port. @default {none} */
  beside?: string;
  /** A program that is run before both. @default {none} */
  before?: string;
}

/** A program is ended if it takes longer. */
const LIMIT_MS = 30_000;

/** These two run together, through `tools/demo.ts`. */
const PAIR = ["proc1.ts", "proc2.ts"];

/** Another example starts these, or a test: `tests/e2e/browser_test.ts`. */
const PARTS = [
  "browser/server.ts",
  "scheduler_client.ts",
  "tls/controller.ts",
  "tls/make_certificates.ts",
  "transfer/other_process.ts",
  "worker_thread/worker.ts",
  ...WORKERS,
];

const EXAMPLES: Readonly<Record<string, Example>> = {
  "callbacks_functions.ts": {
    lines: [
      "here: 3",
      "add: 3",
      "subtract: 2",
      "slowSum: 7",
      "countLines: 3",
      "offered: add, countLines, slowSum, subtract",
      "offered: add, countLines, multiply, slowSum",
    ],
  },
  "callbacks_class.ts": {
    lines: [
      "unit: pieces",
      "offered: increase, unit",
      "too early: …no instance yet…",
      "increase: 11",
      "increase here: 1",
      "increase: 2",
    ],
  },
  "websocket.ts": {
    lines: [
      "Hello, tcp!",
      "Hello, web!",
      "Hello, path!",
      "refused: …403…",
      "a page: A page",
    ],
  },
  "worker_thread/main.ts": {
    lines: ["progress: begun", "primes below 100000: 9592"],
  },
  "unix_socket.ts": {
    lines: [
      "Hello, socket!",
      "a socket: true, for its owner alone: true",
      "removed: true",
    ],
    skip: Deno.build.os === "windows",
  },
  "broadcast.ts": {
    lines: [
      "worker1: 49 by worker1",
      "worker2: 49 by worker2",
      "worker3: 49 by worker3",
      "worker1 logs: nothing to report",
      "worker2 logs: nothing to report",
      "worker3 logs: nothing to report",
      "exit code: 0",
      "exit code: 0",
      "exit code: 0",
    ],
    anyPlace: /logs|exit code/, // of three processes at the same time
  },
  "streams.ts": {
    lines: [
      "countTo is over",
      "all: 1 2 3 4 5",
      "countTo is over",
      "total: 500500",
      "doubled: 2 4 6 8",
      "row 1 from client",
      "row 2 from client",
      "row 3 from client",
      "stored",
    ],
    anyPlace: /^countTo is over/, // nobody waits for a generator to stop
  },
  "pipeline.ts": {
    lines: [
      "splitter: called by main",
      "counter: called by splitter, in a hurry: true",
      "formatter: called by counter",
      "main: 6 words",
    ],
  },
  "await_using.ts": {
    lines: [
      "joined: job",
      "saved: first",
      "left: job",
      "joined: job",
      "saved: ",
      "left: job",
      "failed: there was nothing to save",
      "joined: last job",
      "left: last job",
      "saved: last",
      "stopped",
    ],
    anyPlace: /^(joined|left)/, // the job does not wait until others have heard of it
  },
  "standalone_controller.ts": {
    lines: [
      "node1 answers node2: THROUGH THE CONTROLLER",
      "frames passed on: true",
      "Cannot call…this Global runs no Node…",
      "all stopped",
    ],
  },
  "scheduler.ts": {
    lines: [
      "client: fail failed: Error: the printer is on fire",
      "client: report by interval, scheduled",
      "client: report by atTime, scheduled",
      "client: report by cron, scheduled",
      "client: fail by interval, paused",
      "client: left with exit code 0",
      "tasks: 3",
      "scheduler: stopped",
      "tasks: 3",
      "scheduler: the recurring task goes on",
      "client: cancelled: true",
      "client: cancelled: true",
      "client: cancelled: true",
      "client: left with exit code 0",
      "tasks: 0",
      "recurring: run 1, wanted by client",
      "recurring: run 2, wanted by client",
      "listed: run 1, wanted by client",
      "listed: run 2, wanted by client",
    ],
    anyPlace: /: run/, // tasks run whatever the client does meanwhile
  },
  "transfer/main.ts": {
    lines: [
      "It runs in process …, and this is another one: true",
      "digest: b94f6f12",
      "TransferError (executed: yes): …uses rate…pass the value as an argument…",
      "gross: 125",
      "TransferError (executed: never): Cannot send the function max: it is native…",
      "the host's name may be known: true",
      "RemoteCallError (executed: yes): …threw NotCapable: Requires read access…",
      "TransferError (executed: maybe): loop did not finish…longer than 1000 ms",
      "still there: true",
    ],
    beside: "transfer/other_process.ts",
  },
  "tls/node.ts": {
    lines: [
      "over TLS: 3",
      "without TLS: ProtocolError",
      "without trust in its authority: AuthenticationError",
      "with another secret: AuthenticationError",
    ],
    before: "tls/make_certificates.ts",
    beside: "tls/controller.ts",
  },
  "typed_calls.ts": {
    lines: ["sum: 3.0", "rows: 1", "everybody: 7", "n: 1.0", "n: 2.0", "at run time: 12"],
  },
  "timeouts.ts": {
    lines: [
      "timeout: begins",
      "timeout: CALL_TIMEOUT, executed: maybe",
      "timeout: told to stop",
      "signal: begins",
      "signal: CALL_CANCELLED",
      "signal: told to stop",
      "cancel: begins",
      "cancel: still running: true",
      "cancel: told to stop",
      "cancel: CALL_CANCELLED",
      "process nobody was not there within 50 ms",
    ],
    anyPlace: /told to stop/, // the caller does not wait until the callback has heard of it
  },
  "errors.ts": {
    lines: [
      "RemoteCallError (executed: yes): withdraw on worker threw RangeError: Cannot withdraw 100",
      "  fields: left = 0",
      "  because: the account is empty",
      "CallbackNotFoundError (executed: never): …did you mean withdraw?",
      "ProcessNotFoundError (executed: never): …did you mean worker?",
      "EncodeError (executed: never): …args[0].user.save…",
      "EncodeError (executed: yes): …result.send…",
      "BroadcastError (executed: …): 1 of 1 processes failed at withdraw…",
      "  worker: REMOTE_CALL",
      "PeerLostError (executed: maybe): Process worker was lost during the call of crash",
    ],
  },
};

const ROOT = fromFileUrl(import.meta.resolve("../"));

/** What the standard library's assertions say when lines differ. */
function compare(printed: string[], { lines: expected, anyPlace = /$^/ }: Example): void {
  const patterns = expected.map((line) =>
    new RegExp(`^${line.split("…").map((part) => RegExp.escape(part)).join(".*")}$`)
  );
  const known = printed.map((line) =>
    expected[patterns.findIndex((pattern) => pattern.test(line))] ?? line
  );
  const arrange = (lines: string[]) => [
    ...lines.filter((line) => !anyPlace.test(line)),
    ...lines.filter((line) => anyPlace.test(line)).sort(),
  ];
  assertEquals(arrange(known), arrange(expected), "it does not print what it should");
}

/** Runs a program to its end. Everything it needs must be in `args`. */
async function run(args: string[], example: Example, options: ChildOptions = {}): Promise<void> {
  // A place of its own for its UNIX sockets: others may run programs on this machine too.
  const temporary = await Deno.makeTempDir();
  const child = new Child(args, { cwd: ROOT, env: { TMPDIR: temporary }, ...options });
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  try {
    const { code, signal } = await child.status;
    try {
      if (signal !== null) {
        throw new Error(`it was ended by ${signal}; ${LIMIT_MS} ms is the limit`);
      }
      if (code !== 0) throw new Error(`it ended with exit code ${code}`);
      compare(child.stdout, example);
    } catch (error) {
      const shown = child.stderr.map((line) => `\n    ${line}`).join("");
      throw shown === "" ? error : new Error(`${(error as Error).message}\n  it told:${shown}`);
    }
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
    await child.status;
    await Deno.remove(temporary, { recursive: true });
  }
}

/** Runs an example to its end, and the program that it needs for as long. */
async function runExample(file: string, example: Example): Promise<void> {
  if (example.before !== undefined) await run(await commandOf(example.before), { lines: [] });
  if (example.beside === undefined) return await run(await commandOf(file), example);
  const port = String(freePort());
  const beside = new Child([...await commandOf(example.beside), port], { cwd: ROOT });
  try {
    await run([...await commandOf(file), port], example);
    beside.kill("SIGTERM");
    const { code } = await beside.status;
    // Windows has no SIGTERM: there it is ended from outside.
    if (code !== 0 && Deno.build.os !== "windows") {
      throw new Error(
        `${example.beside} ended with exit code ${code}: ${beside.stderr.join("; ")}`,
      );
    }
  } finally {
    beside.kill("SIGKILL");
    await beside.status;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "localhost", port: 0 });
  return listener.addr.port;
}

/** The programs in `examples/` and its directories. */
function exampleFiles(directory = ""): string[] {
  return [...Deno.readDirSync(`${ROOT}examples/${directory}`)].flatMap(({ name, isDirectory }) =>
    isDirectory
      ? exampleFiles(`${directory}${name}/`)
      : name.endsWith(".ts")
      ? [directory + name]
      : []
  ).sort();
}

async function runPair(): Promise<void> {
  const lines: string[] = [];
  const problems = await demo({ print: (line) => lines.push(line) });
  if (problems.length > 0) throw new Error([...problems, ...lines].join("\n    "));
}

/** The programs of the README: blocks that import something. */
function programsOf(readme: string): { line: number; text: string }[] {
  return [...readme.matchAll(/^```ts\n(.*?)^```$/gms)]
    .map(({ index, 1: text }) => ({
      line: readme.slice(0, index).split("\n").length + 1,
      text: text!,
    }))
    .filter(({ text }) => /^import /m.test(text));
}

/** What its comments say that a program prints: `console.log(…); // this`. */
function linesOf(program: string): string[] {
  return Array.from(program.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm), ([, line]) => line!);
}

/** Everything there is to run, by the name under which it is told. */
async function allRuns(): Promise<Map<string, (() => Promise<void>) | undefined>> {
  const runs = new Map<string, (() => Promise<void>) | undefined>();
  const files = exampleFiles();
  for (const file of files) {
    if (PAIR.includes(file) || PARTS.includes(file)) continue;
    const example = EXAMPLES[file];
    runs.set(
      `examples/${file}`,
      example?.skip === true ? undefined : async () => {
        if (example === undefined) throw new Error("tools/run_examples.ts has no row for it");
        await runExample(file, example);
      },
    );
  }
  for (const file of Object.keys(EXAMPLES)) {
    if (files.includes(file)) continue;
    runs.set(`examples/${file}`, () => Promise.reject(new Error("there is no such file")));
  }
  runs.set(PAIR.map((file) => `examples/${file}`).join(" and "), runPair);
  runs.set("examples/worker", runWorkers);

  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  const pair = await Promise.all(PAIR.map((file) => Deno.readTextFile(`${ROOT}examples/${file}`)));
  runs.set("README.md, types", () => run(["check", "--doc-only", "README.md"], { lines: [] }));
  PAIR.forEach((file, i) =>
    runs.set(
      `README.md, ${file}`,
      () =>
        readme.includes("```ts\n" + pair[i] + "```\n")
          ? Promise.resolve()
          : Promise.reject(new Error(`it does not show examples/${file} as it is`)),
    )
  );
  for (const { line, text } of programsOf(readme)) {
    if (pair.includes(text)) continue;
    runs.set(`README.md:${line}`, () => {
      const lines = linesOf(text);
      if (lines.length === 0) throw new Error("no comment says what it prints");
      return run(["run", "--no-prompt", "--allow-net", "--allow-run", "-"], { lines }, {
        input: text,
      });
    });
  }
  return runs;
}

if (import.meta.main) {
  let [passed, failed, skipped] = [0, 0, 0];
  const results = pooledMap(
    navigator.hardwareConcurrency,
    await allRuns(),
    async ([name, start]): Promise<void> => {
      if (start === undefined) {
        skipped++;
        return console.log(`${name} ... skipped`);
      }
      try {
        await start();
        passed++;
        console.log(`${name} ... ok`);
      } catch (error) {
        failed++;
        console.error(`${name} ... FAILED: ${(error as Error).message}`);
      }
    },
  );
  await Array.fromAsync(results);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  Deno.exit(failed === 0 && passed > 0 ? 0 : 1);
}
