import { assert, assertEquals } from "@std/assert";
import { CalmLogger } from "../../src/internal/calm_logger.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";

const MAX_LINES = 100;
const MINUTE = 60_000;

function made(): [CalmLogger, string[]] {
  const recording = new RecordingLogger();
  return [new CalmLogger(recording), recording.lines];
}

Deno.test("CalmLogger passes lines on as they are", () => {
  const [logger, lines] = made();
  logger.warn("daffi: a: b", 1, "two");
  logger.error("daffi: c", { toString: () => "d" });
  assertEquals(lines, ["warn daffi: a: b 1 two", "error daffi: c d"]);
});

Deno.test("CalmLogger leaves lines of one kind out when there are many, and says so", () => {
  using time = new FakeTime();
  const [logger, lines] = made();
  for (let i = 0; i < 1000; i++) {
    logger.warn(`daffi: the connection to process "p${i}:" was lost: because of ${i}`);
  }
  assertEquals(lines.length, MAX_LINES);
  assertEquals(
    lines.at(-1),
    'warn daffi: the connection to process "p99:" was lost: because of 99 ' +
      "(more lines like this one are left out for a minute)",
  );
  logger.error("daffi: the connection to process p was lost");
  logger.warn("daffi: something else: p");
  assertEquals(lines.length, MAX_LINES + 2);
  time.tick(MINUTE - 1);
  logger.warn('daffi: the connection to process "p" was lost');
  assertEquals(lines.length, MAX_LINES + 2);
  time.tick(1);
  for (let i = 0; i < 2; i++) logger.warn('daffi: the connection to process "p" was lost');
  assertEquals(lines.slice(-2), [
    'warn daffi: the connection to process "p" was lost (901 lines like this one were left out)',
    'warn daffi: the connection to process "p" was lost',
  ]);
});

Deno.test("CalmLogger goes on when the clock is set back", () => {
  using time = new FakeTime(10 * MINUTE);
  const [logger, lines] = made();
  for (let i = 0; i < 2 * MAX_LINES; i++) logger.warn("daffi: a");
  time.setBack(5 * MINUTE);
  logger.warn("daffi: a");
  assertEquals(lines.length, MAX_LINES + 1);
});

Deno.test("CalmLogger cannot be filled by lines that look like many kinds", () => {
  const [logger, lines] = made();
  const word = (i: number) => String.fromCharCode(...[...`${i}`].map((digit) => 65 + +digit));
  for (let i = 0; i < 100_000; i++) logger.warn(`daffi: ${word(i)} failed`);
  assert(lines.length <= 200, `${lines.length}`);
});

Deno.test("CalmLogger tells what it knows beside a flood of other kinds than it has room for", () => {
  using _time = new FakeTime();
  const [logger, lines] = made();
  const kinds = Array.from({ length: 1_000 }, (_, i) => `daffi: ${"x".repeat(i + 1)}`);
  for (const kind of kinds) logger.warn(kind);
  logger.warn(kinds[0]!);
  assertEquals(lines.length, 64 + MAX_LINES + 1);
  assertEquals(lines.at(-1), `warn ${kinds[0]}`);
});

Deno.test("CalmLogger has room for other kinds when those that filled it are a minute old", () => {
  using time = new FakeTime();
  const [logger, lines] = made();
  const kinds = Array.from({ length: 64 }, (_, i) => "x".repeat(i + 1));
  for (const kind of kinds) logger.warn(`daffi: ${kind}`);
  time.tick(MINUTE);
  for (let i = 0; i < 2 * MAX_LINES; i++) logger.warn("daffi: a flood");
  logger.warn("daffi: something important");
  assertEquals(lines.length, kinds.length + MAX_LINES + 1);
  assertEquals(lines.at(-1), "warn daffi: something important");
});

Deno.test("CalmLogger keeps a line one line", () => {
  const [logger, lines] = made();
  logger.warn("daffi: process a\nwarn daffi: \u001b[2Jb\r\u2028\u0085\u007fc");
  assertEquals(lines, [
    "warn daffi: process a\\u000awarn daffi: \\u001b[2Jb\\u000d\\u2028\\u0085\\u007fc",
  ]);
});

Deno.test("CalmLogger keeps a line one line, whatever text is among its details", () => {
  const [logger, lines] = made();
  logger.error("daffi: a call failed:", "no\ndaffi: all is well\x1b[2J", 5);
  assertEquals(lines, ["error daffi: a call failed: no\\u000adaffi: all is well\\u001b[2J 5"]);
});

Deno.test("CalmLogger takes what is quoted and does not end as the same kind, however long it is", () => {
  const [logger, lines] = made();
  // With a look back at each quote, these would take minutes.
  for (const end of ["", "\\", "\\\n"]) {
    for (let i = 0; i < MAX_LINES; i++) logger.warn(`daffi: a "${'\\"'.repeat(500_000)}${i}${end}`);
  }
  assertEquals(lines.length, MAX_LINES);
});
