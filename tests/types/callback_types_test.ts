import { callback, type CallbackFunction, currentCall, local } from "../../mod.ts";
import { z } from "zod";
import { assertType, type Equal } from "./equal.ts";

// The functions below are compiled and never run: what they say is checked by the compiler.

function _keepsTheType(callback: CallbackFunction): void {
  const add = callback(function add(a: number, b: number): number {
    return a + b;
  });
  assertType<Equal<typeof add, (a: number, b: number) => number>>();
  const named = callback("subtract", (a: number, b: number): number => a - b);
  assertType<Equal<typeof named, (a: number, b: number) => number>>();
  const generic = callback("first", <T>(items: T[]): T | undefined => items[0]);
  assertType<Equal<typeof generic, <T>(items: T[]) => T | undefined>>();
  const stream = callback("count", async function* (): AsyncGenerator<number> {});
  assertType<Equal<typeof stream, () => AsyncGenerator<number>>>();
  const withOptions = callback(add, {
    name: "sum",
    concurrency: 4,
    timeout: "10s",
    input: z.tuple([z.number(), z.number()]),
    output: z.number(),
  });
  assertType<Equal<typeof withOptions, typeof add>>();
  const removed = callback.remove("sum");
  assertType<Equal<typeof removed, boolean>>();
}

function _classes(callback: CallbackFunction): void {
  class Group {
    constructor(readonly size: number) {}
    f(): number {
      return this.size;
    }
  }
  const Registered = callback(Group);
  assertType<Equal<typeof Registered, typeof Group>>();
  const group: Group = new Registered(5);
  group.f();
  callback(Group, { concurrency: 2 });
  // @ts-expect-error the constructor wants a number
  new Registered("5");
}

function _decorators(): void {
  @callback
  class Group {
    method1(): number {
      return 1;
    }
    static method3(): void {}
    @local
    alsoPrivate(): void {}
  }
  const n: number = new Group().method1();
  n.toFixed();
}

function _wrong(callback: CallbackFunction): void {
  // @ts-expect-error no function
  callback(5);
  // @ts-expect-error no function
  callback("name");
  // @ts-expect-error a class has no name of its own
  callback("name", class {});
  // @ts-expect-error there is no such option
  callback(function f() {}, { concurency: 4 });
  // @ts-expect-error no schema
  callback(function f() {}, { input: "number" });
  // @ts-expect-error no duration
  callback(function f() {}, { timeout: new Date() });
}

function _context(): void {
  interface Remote {
    add(a: number, b: number): number;
  }
  const context = currentCall<Remote>();
  // @ts-expect-error it may be undefined
  context.caller.toUpperCase();
  assertType<
    Equal<typeof context extends { signal: infer S } | undefined ? S : never, AbortSignal>
  >();
  // @ts-expect-error there is no such callback
  context?.g.call.subtract(1, 2);
  // @ts-expect-error what a call is cannot be changed
  if (context !== undefined) context.caller = "me";
}

Deno.test("callback types: this file compiles, and each of its wrong calls does not", () => {});
