import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bestOf } from "../../bench/peers/best.ts";
import { sendAll, Taken } from "../../bench/peers/flow.ts";
import { Results } from "../../bench/runner/results.ts";
import type { Figures } from "../../bench/works.ts";
import { until } from "../helpers/soon.ts";

Deno.test("bestOf() takes each figure of a system from the way to run it that is best at it", () => {
  const results = new Results();
  const add = (system: string, figures: Figures) =>
    results.add({ work: "add", system, transport: "tcp", floor: undefined }, figures);
  add("ours", { p50Us: 3, perSecond: 1 });
  add("theirs, slow", { p50Us: 9, perSecond: 700 });
  add("theirs, quick", { p50Us: 5, perSecond: 500 });
  const families = new Map([["theirs, slow", "theirs"], ["theirs, quick", "theirs"]]);
  const best = bestOf(results.all(), families);
  assertEquals(
    best.map(({ system, variant, figure, median }) => [system, variant, figure, median]),
    [
      ["ours", undefined, "p50Us", 3],
      ["ours", undefined, "perSecond", 1],
      ["theirs", "theirs, quick", "p50Us", 5],
      ["theirs", "theirs, slow", "perSecond", 700],
    ],
  );
});

Deno.test("sendAll() waits for the window before the last one", async () => {
  let sent = 0;
  const answers: (() => void)[] = [];
  const done = sendAll(12_288, () => sent++, () => {
    const arrived = sent;
    return new Promise((resolve) => answers.push(() => resolve(arrived)));
  });
  await until(() => sent === 8192);
  assertEquals(answers.length, 2);
  answers[0]!();
  await until(() => sent === 12_288);
  assertEquals(answers.length, 3);
  answers[1]!();
  answers[2]!();
  await until(() => answers.length === 4);
  answers[3]!();
  await done;
});

Deno.test("sendAll() rejects when a number was lost", async () => {
  let arrived = 0;
  const send = (n: number) => void (n === 3 ? 0 : arrived++);
  await assertRejects(
    () => sendAll(10, send, () => Promise.resolve(arrived)),
    Error,
    "9 of 10 arrived",
  );
});

Deno.test("Taken wants numbers in order, and all of them", () => {
  const taken = new Taken();
  taken.take(0);
  taken.take(1);
  assertThrows(() => taken.take(3), Error, "3 came instead of 2");
  assertThrows(() => taken.finish(3), Error, "2 of 3 arrived");
  taken.finish(2);
  taken.take(0);
  assertEquals(taken.count, 1);
});
