import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { z } from "zod";
import { CallbackRegistry, InitializationError } from "../../mod.ts";
import type { RegistryChange } from "../../src/registry/callback_registry.ts";

function watched(): { registry: CallbackRegistry; changes: RegistryChange[] } {
  const registry = new CallbackRegistry();
  const changes: RegistryChange[] = [];
  registry.subscribe((change) => changes.push(change));
  return { registry, changes };
}

/** What a registration that a compiler would refuse throws. */
function refusal(...args: unknown[]): InitializationError {
  const { callback } = new CallbackRegistry();
  const untyped = callback as unknown as (...args: unknown[]) => unknown;
  return assertThrows(() => untyped(...args), InitializationError);
}

Deno.test("callback() registers a named function and returns the function itself", () => {
  const { registry, changes } = watched();
  function add(a: number, b: number): number {
    return a + b;
  }
  assertStrictEquals(registry.callback(add), add);
  assertEquals(registry.get("add")?.invoke([1, 2]), 3);
  assertEquals(changes, [{ offered: true, names: ["add"] }]);
});

Deno.test("callback() takes the name that is given before that of the function", () => {
  const { registry } = watched();
  const subtract = (a: number, b: number) => a - b;
  assertStrictEquals(registry.callback("minus", subtract), subtract);
  registry.callback(subtract, { name: "difference" });
  registry.callback("less", subtract, { concurrency: 2 });
  assertEquals(registry.names(), ["minus", "difference", "less"]);
  assertEquals(registry.get("less")?.concurrency, 2);
  assertEquals(registry.get("minus")?.concurrency, Infinity);
});

Deno.test("callback() names a function by the variable it is assigned to", () => {
  const { registry } = watched();
  const double = (x: number) => 2 * x;
  registry.callback(double);
  assertEquals(registry.names(), ["double"]);
});

Deno.test("callback() keeps concurrency, and timeout in milliseconds", () => {
  const { registry } = watched();
  registry.callback("f", () => 1, { concurrency: 4, timeout: "10s" });
  const entry = registry.get("f")!;
  assertEquals([entry.concurrency, entry.timeoutMs], [4, 10_000]);
  registry.callback("endless", () => 1, { timeout: Infinity });
  assertEquals(registry.get("endless")?.timeoutMs, Infinity);
});

Deno.test("callback() lets the same function be registered again, with other options", () => {
  const { registry, changes } = watched();
  const f = () => 1;
  registry.callback("f", f);
  registry.callback("f", f, { concurrency: 3 });
  assertEquals(registry.get("f")?.concurrency, 3);
  assertEquals(changes, [{ offered: true, names: ["f"] }]);
});

Deno.test("callback() keeps what is there when the same is registered again, turns and all", () => {
  const { registry } = watched();
  const f = () => 1;
  const options = { concurrency: 2, timeout: "1s", input: z.number(), output: z.number() };
  registry.callback("f", f, options);
  const present = registry.get("f");
  registry.callback("f", f, options);
  assertStrictEquals(registry.get("f"), present);
  const output = z.string();
  registry.callback("f", f, { concurrency: 2, timeout: "2s", output });
  assertStrictEquals(registry.get("f"), present);
  assertEquals([present?.timeoutMs, present?.input, present?.output], [2000, undefined, output]);
  registry.callback("f", f, { ...options, concurrency: 3 });
  assertEquals(registry.get("f")?.concurrency, 3);
});

Deno.test("callback() keeps the methods of a class that is registered again", () => {
  const { registry } = watched();
  class Group {
    f(): void {}
    static g(): void {}
  }
  registry.callback(Group, { concurrency: 2 });
  const present = ["f", "g"].map((name) => registry.get(name));
  registry.callback(Group, { concurrency: 2 });
  assertEquals(["f", "g"].map((name) => registry.get(name) === present.shift()), [true, true]);
});

Deno.test("callback() refuses another function under a taken name and keeps the first", () => {
  const { registry, changes } = watched();
  registry.callback("f", () => 1);
  const error = assertThrows(
    () => registry.callback("f", () => 2),
    InitializationError,
    'callback.remove("f")',
  );
  assertEquals(error.code, "INITIALIZATION");
  assertEquals(registry.get("f")?.invoke([]), 1);
  assertEquals(changes.length, 1);
});

Deno.test("callback() tells how to name a function that has no name", () => {
  assert(refusal(() => 1).message.includes('callback("name", fn)'));
  assert(refusal(function () {}).message.includes("named function"));
});

Deno.test("callback() refuses what is not a function", () => {
  for (const value of [undefined, null, 5, {}, [], Symbol("s"), Object.create(null)]) {
    assert(refusal(value).message.includes("not a function"), typeof value);
    assert(refusal("name", value).message.includes("not a function"), typeof value);
    if (value !== undefined) {
      assert(refusal(value, () => 1).message.includes("not a function"), typeof value);
    }
  }
});

Deno.test("callback() refuses more callbacks than a process may offer", () => {
  const { registry } = watched();
  for (let i = 0; i < 4096; i++) registry.callback(`f${i}`, () => i);
  assertThrows(
    () => registry.callback("one", () => 1),
    InitializationError,
    "Cannot register one: a process may offer 4096 callbacks",
  );
  registry.callback("f7", registry.get("f7")!.fn, { concurrency: 2 }); // it is one of them
  registry.callback.remove("f0");
  registry.callback("one", () => 1);
});

Deno.test("callback() refuses names that cannot be called", () => {
  const f = () => 1;
  for (const name of ["", "then", "x".repeat(257), "ü".repeat(129)]) refusal(name, f);
  for (const name of [5, {}, ""]) refusal(f, { name });
  const { registry } = watched();
  registry.callback("x".repeat(256), f);
  registry.callback("ü".repeat(128), f);
  assertEquals(registry.names().length, 2);
});

Deno.test("callback() takes a name once, and that of a bound function without what binding added", () => {
  function f() {}
  const { message } = refusal("f", f, { name: "g" });
  assert(/f: .* another name, "g"/.test(message), message);
  const { registry } = watched();
  registry.callback("g", f, { name: "g" });
  registry.callback(f.bind(null).bind(null));
  assertEquals(registry.names(), ["g", "f"]);
});

Deno.test("callback() refuses options that are none, naming the option and the value", () => {
  const f = () => 1;
  for (const options of [5, "fast", null, true]) refusal("f", f, options);
  for (const concurrency of [0, -1, 1.5, NaN, "4", null]) {
    const { message } = refusal("f", f, { concurrency });
    assert(
      message.includes(
        `concurrency must be a whole number above zero, but is ${Deno.inspect(concurrency)}`,
      ),
      message,
    );
  }
  for (const timeout of [0, -1, NaN, "soon", "5 parsecs"]) {
    assert(refusal("f", f, { timeout }).message.includes("timeout"));
  }
  for (const schema of [5, {}, "number", { "~standard": {} }]) {
    assert(refusal("f", f, { input: schema }).message.includes("input"));
    assert(refusal("f", f, { output: schema }).message.includes("output"));
  }
});

Deno.test("callback() refuses options that it does not know, and names the nearest", () => {
  const { message } = refusal("f", () => 1, { concurency: 4 });
  assert(message.includes("did you mean concurrency?"), message);
  class Group {
    f(): void {}
  }
  assert(refusal(Group, { timout: 5 }).message.includes("did you mean timeout?"));
});

Deno.test("callback() leaves nothing behind when it refuses", () => {
  const { registry, changes } = watched();
  assertThrows(() => registry.callback("f", () => 1, { concurrency: 0 }));
  assertEquals([registry.names(), changes], [[], []]);
});

Deno.test("callback() says to decorate the class when it decorates a method", () => {
  const error = refusal(() => 1, { kind: "method", name: "f" });
  assert(error.message.includes("decorate the class"), error.message);
});

Deno.test("callback() keeps names that objects have by themselves apart", () => {
  const { registry } = watched();
  for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    assertEquals(registry.get(name), undefined);
    registry.callback(name, () => name);
    assertEquals(registry.get(name)?.invoke([]), name);
  }
});

Deno.test("callback.remove() refuses what is no name", () => {
  const { callback } = new CallbackRegistry();
  const add = callback(function add() {});
  for (const name of [add, undefined, 5] as unknown[]) {
    assertThrows(
      () => callback.remove(name as string),
      InitializationError,
      "the name of a callback",
    );
  }
  assertEquals(callback.remove("add"), true);
});

Deno.test("callback.remove() withdraws a callback once and makes its name free", () => {
  const { registry, changes } = watched();
  registry.callback("f", () => 1);
  assertEquals(registry.callback.remove("f"), true);
  assertEquals(registry.callback.remove("f"), false);
  assertEquals(registry.get("f"), undefined);
  registry.callback("f", () => 2);
  assertEquals(registry.get("f")?.invoke([]), 2);
  assertEquals(changes.map(({ offered }) => offered), [true, false, true]);
});

Deno.test("subscribe() tells that a class has an instance from now on, and no names with it", () => {
  const { registry, changes } = watched();
  class Group {
    method(): string {
      return "answer";
    }
  }
  const Registered = registry.callback(Group);
  const problems: boolean[] = [];
  registry.subscribe(() => problems.push(registry.get("method")!.problem() !== undefined));
  new Registered();
  assertThrows(() => new Registered(), InitializationError);
  assertEquals(changes, [{ offered: true, names: ["method"] }, { offered: true, names: [] }]);
  assertEquals(problems, [false]);
});

Deno.test("subscribe() tells nothing more once it is taken back", () => {
  const registry = new CallbackRegistry();
  const heard: string[] = [];
  const unsubscribe = registry.subscribe(({ names }) => heard.push(`first ${names}`));
  registry.subscribe(({ names }) => heard.push(`second ${names}`));
  registry.callback("a", () => 1);
  unsubscribe();
  registry.callback("b", () => 1);
  assertEquals(heard, ["first a", "second a", "second b"]);
});

Deno.test("subscribe() tells all, though one of them throws, and then whoever made the change", () => {
  const registry = new CallbackRegistry();
  const heard: string[] = [];
  registry.subscribe(() => {
    throw new Error("no");
  });
  registry.subscribe(({ names }) => heard.push(...names));
  assertThrows(() => registry.callback("a", () => 1), Error, "no");
  assertThrows(() => registry.callback.remove("a"), Error, "no");
  assertEquals(heard, ["a", "a"]);
});

Deno.test("subscribe() refuses what is no function", () => {
  const listener = 5 as unknown as () => void;
  assertThrows(
    () => new CallbackRegistry().subscribe(listener),
    InitializationError,
    "Cannot subscribe: 5 is not a function",
  );
});

Deno.test("CallbackRegistry keeps registries apart", () => {
  const [one, two] = [watched(), watched()];
  one.registry.callback("f", () => 1);
  two.registry.callback("f", () => 2);
  assertEquals(one.registry.get("f")?.invoke([]), 1);
  assertEquals(two.registry.get("f")?.invoke([]), 2);
});

Deno.test("subscribe() tells exactly what names() shows, whatever is registered and removed", () => {
  const name = fc.constantFrom("a", "b", "c", "constructor");
  const step = fc.record({ name, remove: fc.boolean() });
  fc.assert(fc.property(fc.array(step), (steps) => {
    const registry = new CallbackRegistry();
    const told = new Set<string>();
    registry.subscribe(({ offered, names }) => {
      for (const each of names) {
        assertEquals(told.has(each), !offered);
        if (offered) told.add(each);
        else told.delete(each);
      }
    });
    const functions = new Map(["a", "b", "c", "constructor"].map((each) => [each, () => each]));
    for (const { name, remove } of steps) {
      if (remove) registry.callback.remove(name);
      else registry.callback(name, functions.get(name)!);
    }
    assertEquals([...told].sort(), registry.names().sort());
  }));
});

Deno.test("subscribe() takes one listener several times, and each subscription ends alone", () => {
  const registry = new CallbackRegistry();
  const heard: string[] = [];
  const listener = ({ names }: { names: readonly string[] }) => heard.push(...names);
  const [unsubscribe] = [registry.subscribe(listener), registry.subscribe(listener)];
  registry.callback("a", () => {});
  unsubscribe();
  registry.callback("b", () => {});
  assertEquals(heard, ["a", "a", "b"]);
});
