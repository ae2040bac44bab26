import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { timeLeft } from "../../src/node/pending_call.ts";
import { PendingTable } from "../../src/node/pending.ts";

const MAX_CALL_ID = 2 ** 31 - 1;

class Call {
  callId = 0;
}

function add(table: PendingTable<Call>): Call {
  const call = new Call();
  table.add(call);
  return call;
}

Deno.test("PendingTable numbers calls from one and finds them by their number", () => {
  const table = new PendingTable<Call>();
  const calls = Array.from({ length: 10 }, () => add(table));
  assertEquals(calls.map((call) => call.callId), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  for (const call of calls) assertStrictEquals(table.get(call.callId), call);
  assertEquals(table.get(11), undefined);
  assertEquals(table.get(0), undefined);
});

Deno.test("PendingTable does not use a number again when its call is over", () => {
  const table = new PendingTable<Call>();
  const seen = new Set<number>();
  for (let i = 0; i < 5000; i++) {
    const call = add(table);
    assert(!seen.has(call.callId));
    seen.add(call.callId);
    assert(table.delete(call));
  }
  assertEquals(table.size, 0);
});

Deno.test("PendingTable gives no late answer to a call in the same slot", () => {
  const table = new PendingTable<Call>();
  const first = add(table);
  table.delete(first);
  let second = add(table);
  while ((second.callId & 255) !== (first.callId & 255)) {
    table.delete(second);
    second = add(table);
  }
  assertEquals(table.get(first.callId), undefined);
  assertStrictEquals(table.get(second.callId), second);
});

Deno.test("PendingTable grows and keeps every call", () => {
  const table = new PendingTable<Call>();
  const calls = Array.from({ length: 5000 }, () => add(table));
  assertEquals(table.size, 5000);
  assertEquals(new Set(calls.map((call) => call.callId)).size, 5000);
  for (const call of calls) assertStrictEquals(table.get(call.callId), call);
  assertEquals(new Set([...table.values(), ...calls]).size, 5000);
});

Deno.test("PendingTable begins at one again after the last number, passing those still used", () => {
  const table = new PendingTable<Call>();
  const old = add(table);
  assertEquals(old.callId, 1);
  const late = new PendingTable<Call>(MAX_CALL_ID - 1);
  assertEquals(Array.from({ length: 4 }, () => add(late).callId), [
    MAX_CALL_ID - 1,
    MAX_CALL_ID,
    1,
    2,
  ]);
});

Deno.test("PendingTable passes over a call that waits since the last round", () => {
  const table = new PendingTable<Call>(MAX_CALL_ID);
  const calls = [add(table), add(table)];
  assertEquals(calls.map((call) => call.callId), [MAX_CALL_ID, 1]);
  for (let i = 0; i < 1000; i++) {
    const call = add(table);
    assert(call.callId !== 1 && call.callId !== MAX_CALL_ID);
    table.delete(call);
  }
  for (const call of calls) assertStrictEquals(table.get(call.callId), call);
});

Deno.test("nextId() gives numbers that no waiting call has and none gets", () => {
  const table = new PendingTable<Call>();
  const ids = new Set<number>();
  for (let i = 0; i < 300; i++) ids.add(table.nextId()).add(add(table).callId);
  assertEquals(ids.size, 600);
});

Deno.test("values() gives no call that is removed before its turn, also if the table has grown", () => {
  const table = new PendingTable<Call>();
  const calls = Array.from({ length: 10 }, () => add(table));
  const given: number[] = [];
  for (const call of table.values()) {
    given.push(call.callId);
    if (given.length > 1) continue;
    for (let i = 0; i < 1_000; i++) add(table);
    for (const other of calls) table.delete(other);
  }
  assertEquals(given.filter((id) => id <= calls.length), [1]);
});

Deno.test("delete() is false for a call that is not there", () => {
  const table = new PendingTable<Call>();
  const call = add(table);
  assertEquals([table.delete(call), table.delete(call)], [true, false]);
  const stranger = new Call();
  stranger.callId = add(table).callId;
  assertEquals([table.delete(stranger), table.size], [false, 1]);
});

Deno.test("PendingTable behaves like a map whatever comes and goes, from any first number", () => {
  const firstId = fc.oneof(
    fc.integer({ min: 1, max: 1000 }),
    fc.integer({ min: MAX_CALL_ID - 500, max: MAX_CALL_ID }),
  );
  const steps = fc.array(fc.option(fc.nat(1000), { freq: 2 }), { maxLength: 1500 });
  fc.assert(
    fc.property(firstId, steps, (first, steps) => {
      const table = new PendingTable<Call>(first);
      const model: Call[] = [];
      const used = new Set<number>();
      for (const step of steps) {
        if (step !== null && model.length > 0) {
          const [call] = model.splice(step % model.length, 1);
          assert(table.delete(call!));
          assertEquals(table.get(call!.callId), undefined);
        } else {
          const call = add(table);
          assert(call.callId >= 1 && call.callId <= MAX_CALL_ID);
          assert(!used.has(call.callId));
          used.add(call.callId);
          model.push(call);
        }
      }
      assertEquals(table.size, model.length);
      for (const call of model) assertStrictEquals(table.get(call.callId), call);
    }),
    { numRuns: 50 },
  );
});

Deno.test("timeLeft() is none when there is no limit, or one that the field cannot hold", () => {
  const cases = [
    [Infinity, 0],
    [0x1_0000_0000, 0],
    [0xffff_ffff + 0.5, 0],
    [0xffff_ffff, 0xffff_ffff],
    [1.5, 2],
    [0, 1],
    [-5, 1],
  ] as const;
  for (const [left, travels] of cases) assertEquals(timeLeft(1000 + left, 1000), travels);
});
