import { assertEquals } from "@std/assert";
import { safely } from "../../src/internal/log.ts";

Deno.test("safely() passes on to the logger, as a method of it", () => {
  const lines: unknown[][] = [];
  const logger = {
    lines,
    warn(...line: unknown[]) {
      this.lines.push(["warn", ...line]);
    },
    error(...line: unknown[]) {
      this.lines.push(["error", ...line]);
    },
  };
  safely(logger).warn("a", 1);
  safely(logger).error("b");
  assertEquals(lines, [["warn", "a", 1], ["error", "b"]]);
});

Deno.test("safely() lets nothing of what a logger throws out, now or later", async () => {
  const throwing = () => {
    throw new Error("the disk is full");
  };
  const rejecting = () => Promise.reject(new Error("the disk is full"));
  for (const fail of [throwing, rejecting]) {
    const logger = safely({ warn: fail, error: fail });
    logger.warn("a");
    logger.error("b");
    await new Promise((resolve) => setTimeout(resolve)); // unhandled rejections are told by then
  }
});
