import { assertEquals } from "@std/assert";
import { Hooks, MAX_HOOKS } from "../src/hooks.ts";
import { loadAsyncContexts } from "../src/internal/async_contexts.ts";
import { currentScope, runInScope } from "../src/internal/call_scope.ts";
import { RecordingLogger } from "./helpers/recording_logger.ts";
import { settled } from "./helpers/soon.ts";

Deno.test("Hooks lets so many calls of one function go on, and tells of those it does not make", async () => {
  const logger = new RecordingLogger();
  const begun = { failures: 0, joins: 0 };
  const ends: (() => void)[] = [];
  const hooks = new Hooks(undefined, {
    onTaskFailure: () => {
      begun.failures++;
      return new Promise((resolve) => ends.push(resolve));
    },
    onProcessJoin: () => void begun.joins++,
  }, logger);
  const fail = (message: string) =>
    hooks.run("onTaskFailure", { uuid: "u", processName: "p", callbackName: "f", message });
  for (let i = 0; i < MAX_HOOKS; i++) fail("early");
  await settled();
  assertEquals([begun.failures, logger.lines], [MAX_HOOKS, []]);
  fail("too late");
  hooks.run("onProcessJoin", "other");
  await settled();
  assertEquals(begun, { failures: MAX_HOOKS, joins: 1 });
  assertEquals(logger.lines.length, 1);
  assertEquals(logger.has("onTaskFailure was not called"), true);
  ends[5]!();
  await settled();
  fail("in time");
  await settled();
  assertEquals(begun.failures, MAX_HOOKS + 1);
  for (const end of ends) end();
  await hooks.finished();
});

Deno.test("Hooks calls what is done when it returns for as many as may come in a turn, in order", async () => {
  const told: string[] = [];
  const tell = (_: unknown, name: string) => void told.push(name);
  const logger = new RecordingLogger();
  const hooks = new Hooks(undefined, { onProcessJoin: tell, onNodeConnect: tell }, logger);
  const names = Array.from({ length: MAX_HOOKS }, (_, i) => `n${i}`);
  for (let round = 0; round < 2; round++) {
    for (const name of names) hooks.run("onProcessJoin", name);
    hooks.run("onNodeConnect", "last");
    await settled();
    assertEquals(told.splice(0), [...names, "last"]);
  }
  assertEquals(logger.lines, []);
});

Deno.test("Hooks calls in a turn of its own, and as part of no call, be it made while one runs", async () => {
  await loadAsyncContexts();
  const seen: unknown[] = [];
  const onInit = (g: unknown, name: string) => void seen.push(g, name, currentScope());
  const hooks = new Hooks("g", { onInit }, new RecordingLogger());
  const { signal } = new AbortController();
  const call = { g: "g", caller: "p", callbackName: "f", callId: 1, signal, deadline: undefined };
  runInScope({ ...call, deadlineAt: Infinity }, () => {
    hooks.run("onInit", "p");
    seen.push(currentScope()?.callbackName);
  });
  await hooks.finished();
  assertEquals(seen, ["f", "g", "p", undefined]);
});
