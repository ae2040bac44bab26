import { assertEquals } from "@std/assert";
import { logOutput } from "../../src/transfer/sandbox_output.ts";

/** What is logged of what a sandbox writes, in pieces as they come. */
async function logged(...pieces: (string | Uint8Array)[]): Promise<string[]> {
  const lines: string[] = [];
  const logger = { warn: (line: string) => void lines.push(line), error() {} };
  const bytes = pieces.map((piece) =>
    typeof piece === "string" ? new TextEncoder().encode(piece) : piece
  );
  await logOutput(ReadableStream.from(bytes), "a", logger);
  return lines.map((line) => line.replace('daffi: a function of "a" says: ', ""));
}

Deno.test("logOutput() tells lines, whatever pieces they come in, the last one without an end, too", async () => {
  const euro = new TextEncoder().encode("€");
  assertEquals(
    await logged("one\ntw", "o\n", euro.subarray(0, 1), euro.subarray(1), "\nlast"),
    ["one", "two", "€", "last"],
  );
  assertEquals(await logged("one\n"), ["one"]);
});

Deno.test("logOutput() leaves out what a terminal would take for commands, and cuts long lines", async () => {
  assertEquals(await logged("\x1b[31mred\x07\x9b\n"), ["[31mred"]);
  const [long, next] = await logged("x".repeat(1000), "y\nnext\n");
  assertEquals([long!.length, next], [200, "next"]);
});

Deno.test("logOutput() tells a hundred lines, and that there were more", async () => {
  const lines = await logged("x\n".repeat(99), "x\ny\n", "z");
  assertEquals([lines.length, lines.at(-2), lines.at(-1)], [
    101,
    "x",
    'daffi: what functions of "a" say further is dropped',
  ]);
});

Deno.test("logOutput() reads no further once the logger has thrown", async () => {
  let isOver = false;
  const output = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("one\n")),
    cancel: () => void (isOver = true),
  });
  const warn = () => {
    throw new Error("on purpose");
  };
  await logOutput(output, "a", { warn, error() {} });
  assertEquals(isOver, true);
});
