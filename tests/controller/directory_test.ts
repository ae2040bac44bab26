import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import { OverloadedError } from "../../mod.ts";
import { Directory, following } from "../../src/controller/directory.ts";
import { type DirectoryChange, encodeControl } from "../../src/wire/control.ts";
import { MAX_DIRECTORY_BYTES, MAX_WITHDRAWN } from "../../src/wire/limits.ts";

function offered(change: DirectoryChange | undefined): Map<string, number> {
  const callbacks = change?.type === "join"
    ? change.process[2]
    : change?.type === "offer"
    ? change.callbacks
    : [];
  return new Map(callbacks.map(([id, name]) => [name, id]));
}

Deno.test("join() numbers processes and names, the same name by the same number", () => {
  const directory = new Directory();
  assertEquals(directory.join("a", ["f", "g"]), {
    type: "join",
    process: [1, "a", [[1, "f"], [2, "g"]]],
  });
  assertEquals(directory.join("b", ["g", "h"]), {
    type: "join",
    process: [2, "b", [[2, "g"], [3, "h"]]],
  });
  assertEquals([...directory.providersOf(2)], [1, 2]);
  assertEquals(directory.snapshot(), [
    [1, "a", [[1, "f"], [2, "g"]]],
    [2, "b", [[2, "g"], [3, "h"]]],
  ]);
});

Deno.test("Directory never uses a number twice, not for a name that comes back either", () => {
  const directory = new Directory();
  const first = directory.join("a", ["f"]);
  assertEquals(directory.leave(first.process[0], true), { type: "leave", id: 1, graceful: true });
  assertEquals([...directory.providersOf(1)], []);
  const second = directory.join("a", ["f"]);
  assertEquals(second.process, [2, "a", [[2, "f"]]]);
});

Deno.test("Directory keeps a name's number as long as somebody offers it", () => {
  const directory = new Directory();
  directory.join("a", ["f"]);
  directory.join("b", ["f"]);
  directory.withdraw(1, ["f"]);
  assertEquals(offered(directory.offer(1, ["f"])).get("f"), 1);
  directory.leave(1, false);
  assertEquals([...directory.providersOf(1)], [2]);
  directory.withdraw(2, ["f"]);
  assertEquals(offered(directory.offer(2, ["f"])).get("f"), 2);
});

Deno.test("offer() and withdraw() tell only what has changed", () => {
  const directory = new Directory();
  directory.join("a", ["f"]);
  assertEquals(directory.offer(1, ["f"]), undefined);
  assertEquals(directory.offer(1, ["f", "g", "g"]), {
    type: "offer",
    id: 1,
    callbacks: [[2, "g"]],
  });
  assertEquals(directory.countOf(1), 2);
  assertEquals(directory.withdraw(1, ["x"]), undefined);
  assertEquals(directory.withdraw(1, ["g", "x", "g"]), {
    type: "withdraw",
    id: 1,
    callbacks: [2],
  });
  assertEquals([directory.countOf(1), directory.countOf(9)], [1, 0]);
});

Deno.test("Directory takes names that objects have by themselves", () => {
  const directory = new Directory();
  const change = directory.join("__proto__", ["constructor", "__proto__"]);
  assertEquals([...offered(change).keys()], ["constructor", "__proto__"]);
});

Deno.test("Directory's changes tell a copy all that its snapshot shows", () => {
  const name = fc.constantFrom("f", "g", "h");
  const step = fc.record({
    what: fc.constantFrom("join", "leave", "offer", "withdraw"),
    which: fc.nat(5),
    names: fc.array(name, { maxLength: 4 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const directory = new Directory();
    const copy = new Map<number, Map<number, string>>();
    const ids = new Set<number>();
    const texts = new Map<number, string>();
    const learn = (change: DirectoryChange | undefined) => {
      for (const [text, id] of offered(change)) {
        assertEquals(texts.get(id) ?? text, text);
        texts.set(id, text);
      }
      if (change === undefined) return;
      if (change.type === "join") {
        assert(!ids.has(change.process[0]));
        ids.add(change.process[0]);
        copy.set(change.process[0], new Map(change.process[2]));
      } else if (change.type === "leave") copy.delete(change.id);
      else if (change.type === "offer") {
        for (const [id, text] of change.callbacks) copy.get(change.id)!.set(id, text);
      } else for (const id of change.callbacks) assert(copy.get(change.id)!.delete(id));
    };
    for (const { what, which, names } of steps) {
      const id = [...copy.keys()][which];
      if (what === "join") learn(directory.join(`p${which}`, names));
      else if (id === undefined) continue;
      else if (what === "leave") learn(directory.leave(id, false));
      else if (what === "offer") learn(directory.offer(id, names));
      else learn(directory.withdraw(id, names));
    }
    const shown = directory.snapshot().map(([id, , callbacks]) => [id, new Map(callbacks)]);
    assertEquals(new Map(shown as [number, Map<number, string>][]), copy);
    for (const [id] of texts) {
      const offering = [...copy].filter(([, names]) => names.has(id)).map(([process]) => process);
      assertEquals(new Set(directory.providersOf(id)), new Set(offering));
    }
  }));
});

Deno.test("Directory has room for so many bytes, which leaving and withdrawing give back", () => {
  const directory = new Directory();
  const names = Array.from({ length: 4096 }, (_, i) => `${i} `.padEnd(256, "ü").slice(0, 128));
  const ids: number[] = [];
  const full = assertThrows(() => {
    for (let i = 0; i < 100; i++) ids.push(directory.join(`p${i}`, names).process[0]);
  }, OverloadedError);
  assert(full.message.includes(String(MAX_DIRECTORY_BYTES)), full.message);
  assertEquals(directory.snapshot().length, ids.length);
  const { length } = encodeControl({
    id: 1,
    controller: "c",
    maxFrameBytes: 1,
    processes: directory.snapshot(),
  });
  assert(length <= MAX_DIRECTORY_BYTES, `${length}`);
  assert(length > MAX_DIRECTORY_BYTES * 0.9, `${length}`);

  assertThrows(() => directory.offer(ids[0]!, names.map((name) => `${name}!`)), OverloadedError);
  directory.withdraw(ids[0]!, names);
  directory.offer(ids[1]!, names.map((name) => `${name}!`));
  directory.leave(ids[1]!, true);
  for (let i = 0; i < 20; i++) {
    directory.offer(ids[0]!, names);
    directory.offer(ids[0]!, []);
    directory.withdraw(ids[0]!, [...names, ...names]);
    const again = directory.join("again", ["f"]).process[0];
    directory.leave(again, false);
    directory.leave(again, false);
  }
  const longest = "n".repeat(256);
  for (let i = 0; i < MAX_DIRECTORY_BYTES / 256; i++) {
    directory.leave(directory.join(longest, []).process[0], true);
  }
  directory.join("last", [...names, ...names]);
});

Deno.test("Directory begins anew with its numbers after the last one, past those in use", () => {
  const directory = new Directory(0xffffffff - 2);
  const [a, b] = ["a", "b"].map((name) => directory.join(name, [name]).process);
  assertEquals([a![0], b![0]], [0xfffffffe, 0xffffffff]);
  assertEquals([a![2], b![2]], [[[0xfffffffe, "a"]], [[0xffffffff, "b"]]]);
  const c = directory.join("c", ["c"]).process;
  assertEquals(c, [1, "c", [[1, "c"]]]);
  assertEquals([...directory.providersOf(1)], [1]);
  for (const last of [0xffffffff, 0]) assertEquals(following(last, new Map([[1, 0]])), 2);
});

Deno.test("nameOf() knows a name that was withdrawn, for its process may still run it", () => {
  const directory = new Directory();
  const joined = directory.join("a", ["f"]);
  const [a] = joined.process;
  const f = offered(joined).get("f")!;
  const [b] = directory.join("b", []).process;
  assertEquals([directory.nameOf(a, f), directory.nameOf(b, f)], ["f", undefined]);
  directory.withdraw(a, ["f"]);
  assertEquals([directory.nameOf(a, f), directory.nameOf(b, f)], ["f", undefined]);
  directory.join("c", Array.from({ length: MAX_WITHDRAWN }, (_, i) => `h${i}`));
  directory.leave(3, true); // of which nothing can be called any more
  assertEquals(directory.nameOf(a, f), "f");
  for (let i = 0; i < 2 * MAX_WITHDRAWN; i++) {
    directory.offer(b, [`g${i}`]);
    directory.withdraw(b, [`g${i}`]);
  }
  assertEquals(directory.nameOf(a, f), undefined);
});

Deno.test("snapshot() follows what is offered and withdrawn", () => {
  const directory = new Directory();
  directory.join("a", ["f"]);
  const names = () => directory.snapshot()[0]![2].map(([, name]) => name);
  assertEquals(names(), ["f"]);
  directory.offer(1, ["g"]);
  assertEquals(names(), ["f", "g"]);
  directory.withdraw(1, ["f"]);
  assertEquals(names(), ["g"]);
});

Deno.test("join() counts the names of processes", () => {
  const directory = new Directory();
  let joined = 0;
  try {
    for (; joined < MAX_DIRECTORY_BYTES / 256; joined++) directory.join("n".repeat(256), []);
  } catch (error) {
    assertInstanceOf(error, OverloadedError);
  }
  assert(joined < MAX_DIRECTORY_BYTES / 256);
});

Deno.test("nameOf() knows as many withdrawn callbacks as it should", () => {
  const directory = new Directory();
  directory.join("a", ["f"]);
  directory.withdraw(1, ["f"]);
  for (let i = 0; i < MAX_WITHDRAWN; i++) {
    directory.offer(1, [`g${i}`]);
    directory.withdraw(1, [`g${i}`]);
  }
  assertEquals(directory.nameOf(1, 1), "f");
});
