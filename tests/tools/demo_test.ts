import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { demo, type DemoOptions } from "../../tools/demo.ts";

const DEMO = fromFileUrl(import.meta.resolve("../../tools/demo.ts"));

const GOOD1 = `for (let i = 0; i < 10; i++) console.log("Calculated delta = 7");`;
const SAYS2 = `
  for (let i = 0; i < 10; i++) console.log("Func2 has been triggered!");
  for (let i = 0; i < 5; i++) console.log("Calculated sum is 10");`;
const STAYS = `
  console.log("pid", Deno.pid);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
  setInterval(() => {}, 1000);`;

/** Runs the demonstration with other programs in place of its own. */
async function withPrograms(
  proc1: string,
  proc2: string,
  options: DemoOptions = {},
): Promise<{ problems: string[]; lines: string[] }> {
  const lines: string[] = [];
  const problems = await inDirectory(
    proc1,
    proc2,
    (directory) =>
      demo({
        directory,
        ...options,
        print: (line) => {
          lines.push(line);
          options.print?.(line);
        },
      }),
  );
  return { problems, lines };
}

async function inDirectory<T>(
  proc1: string,
  proc2: string,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/proc1.ts`, proc1);
    await Deno.writeTextFile(`${directory}/proc2.ts`, proc2);
    return await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Fails if a program runs that said its pid. */
function assertGone(lines: string[], count?: number): void {
  const pids = lines.flatMap((line) => /pid (\d+)/.exec(line)?.[1] ?? []).map(Number);
  if (count !== undefined) assertEquals(pids.length, count);
  for (const pid of pids) assertThrows(() => Deno.kill(pid, "SIGKILL"));
}

async function runDemo(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", DEMO, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

function takePort(port: number): Deno.Listener | undefined {
  try {
    return Deno.listen({ hostname: "localhost", port });
  } catch {
    return undefined; // another program has it, which serves as well
  }
}

Deno.test("demo.ts shows both directions and exits with 0 when port 8888 is taken", async () => {
  using _ = takePort(8888);
  const { code, out, err } = await runDemo();
  assertEquals(err, "");
  assertEquals(code, 0);
  const [port] = /(?<=localhost:)\d+/.exec(out)!;
  assert(port !== "8888");
  const count = (line: string) => out.split("\n").filter((each) => each === line).length;
  assertEquals(count("[proc1] Calculated delta = 7"), 10);
  assertEquals(count("[proc2] Func2 has been triggered!"), 10);
  assertEquals(count("[proc2] Calculated sum is 10"), 5);
  assertMatch(out, /demo: all as expected, in \d+\.\d s\n$/);
});

Deno.test("demo.ts exits with 1 and names the line when one is missing", async () => {
  const { code, out, err } = await inDirectory(
    GOOD1.replace("7", "8"),
    STAYS + SAYS2,
    (directory) => runDemo(directory),
  );
  assertEquals(code, 1);
  assertStringIncludes(err, `demo: proc1 printed "Calculated delta = 7" 0 times instead of 10`);
  assertStringIncludes(out, "demo: FAILED");
});

Deno.test("demo() finds nothing wrong when both programs do what they should", async () => {
  const { problems, lines } = await withPrograms(GOOD1, STAYS + SAYS2);
  assertEquals(problems, []);
  assertGone(lines, 1);
});

Deno.test("demo() tells the exit code and ends the other program when proc1 fails", async () => {
  const { problems, lines } = await withPrograms(
    `${GOOD1}
    const connect = () => Deno.connect({ hostname: "localhost", port: Number(Deno.args[0]) });
    const meets = (): Promise<Deno.Conn> => connect().catch(meets);
    await meets();
    Deno.exit(3);`,
    `${STAYS + SAYS2}
    Deno.listen({ hostname: "localhost", port: Number(Deno.args[0]) });`,
  );
  assertEquals(problems, ["proc1 ended with exit code 3"]);
  assertGone(lines, 1);
});

Deno.test("demo() tells it when proc2 does not stay", async () => {
  const { problems, lines } = await withPrograms(STAYS + GOOD1, SAYS2);
  assertEquals(problems[0], "proc2 ended by itself, with exit code 0");
  assertGone(lines);
});

Deno.test("demo() gives up and ends both programs when they take too long", async () => {
  const { problems, lines } = await withPrograms(STAYS + GOOD1, STAYS, { limitMs: 1000 });
  assertEquals(problems[0], "it took longer than 1000 ms");
  assert(problems.includes(`proc2 printed "Calculated sum is 10" 0 times instead of 5`));
  assertGone(lines);
});

Deno.test("demo() ends both programs when it is broken off", async () => {
  const stop = new AbortController();
  let started = 0;
  const { problems, lines } = await withPrograms(STAYS, STAYS, {
    signal: stop.signal,
    print: (line) => {
      if (line.includes("pid") && ++started === 2) stop.abort();
    },
  });
  assertEquals(problems[0], "it was broken off");
  assertGone(lines, 2);
});

Deno.test({
  name: "demo() tells the exit code when proc2 does not end well on SIGTERM",
  ignore: Deno.build.os === "windows", // ends programs from outside
  fn: async () => {
    const { problems } = await withPrograms(
      GOOD1,
      `Deno.addSignalListener("SIGTERM", () => Deno.exit(5)); setInterval(() => {}, 1000);${SAYS2}`,
    );
    assertEquals(problems, ["proc2 ended with exit code 5 on SIGTERM"]);
  },
});
