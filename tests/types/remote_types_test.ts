import type { AsyncResult, CallbacksOf, Global, RemoteCall, ScheduledTask } from "../../mod.ts";
import { BG, BROADCAST, FG, NO_RETURN, PERIOD, STREAM } from "../../mod.ts";
import type * as calculator from "./calculator.ts";
import { assertType, type Equal } from "./equal.ts";

interface Remote {
  name(): string;
  add(a: number, b: number): number;
  fetchUser(id: string): Promise<{ name: string } | undefined>;
  hear(item: { n: number }): void;
  numbers(): AsyncGenerator<number>;
  // deno-lint-ignore no-explicit-any -- this is what is tested
  untyped(...args: any[]): any;
}

// The functions below are compiled and never run: what they say is checked by the compiler.

async function _calls(g: Global<Remote>): Promise<void> {
  const call = g.call.add(1, 2);
  assertType<Equal<typeof call, RemoteCall<number>>>();
  const sum = await call;
  assertType<Equal<typeof sum, number>>();
  const user = await g.call.fetchUser("a");
  assertType<Equal<typeof user, { name: string } | undefined>>();
  const nothing = await g.call.hear({ n: 1 });
  assertType<Equal<typeof nothing, void>>();
  const anything = await g.call.untyped(1, "a");
  assertType<0 extends 1 & typeof anything ? true : false>();
  const numbers = await g.call.numbers();
  assertType<Equal<typeof numbers, AsyncIterableIterator<number>>>();
  for await (const n of g.call.numbers()) assertType<Equal<typeof n, number>>();
  const chained = await call.then((n) => `${n}`);
  assertType<Equal<typeof chained, string>>();
  const caught = await call.catch(() => null);
  assertType<Equal<typeof caught, number | null>>();
  const failures = [
    await call.catch((error: Error) => error.message),
    await call.fg().catch((error: Error) => error.message),
    await call.then((n) => n, (error: Error) => error.message),
  ];
  assertType<Equal<typeof failures, (number | string)[]>>();
}

async function _callsAsPromises(g: Global<Remote>): Promise<void> {
  const add = (a: number, b: number): Promise<number> => g.call.add(a, b);
  const inTime = <T>(promise: Promise<T>): Promise<T> => Promise.race([promise]);
  const sums = [await add(1, 2), await inTime(g.call.add(1, 2))];
  assertType<Equal<typeof sums, number[]>>();
}

async function _callsAsArguments(g: Global<Remote & OneArgument>): Promise<void> {
  const sum = await g.call.add(g.call.add(1, 2), 3);
  assertType<Equal<typeof sum, number>>();
  const text = await g.call.text(g.call.text("a"));
  assertType<Equal<typeof text, string>>();
  await g.call.optional(g.call.add(1, 2));
  await g.call.rest(1, g.call.add(1, 2));
  await g.call.anything(g.call.text("a"));
  // @ts-expect-error it gives something else
  await g.call.add(g.call.text("a"), 3);
  // @ts-expect-error only an argument itself can be a call
  await g.call.hear({ n: g.call.add(1, 2) });
}

async function _modifiers(g: Global<Remote>): Promise<void> {
  const call = g.call.add(1, 2);
  const fg = [call.fg(), call.fg({ timeout: "5s" }), call.exec(FG), call.exec(FG({ to: "a" }))];
  assertType<Equal<typeof fg, Promise<number>[]>>();
  const bg = [call.bg(), call.bg({ eta: 5 }), call.exec(BG), call.exec(BG({ timeout: "1s" }))];
  assertType<Equal<typeof bg, AsyncResult<number>[]>>();
  const value = await bg[0]!.get({ timeout: Temporal.Duration.from({ seconds: 1 }) });
  assertType<Equal<typeof value, number>>();
  const none = [
    call.noReturn(),
    call.noReturn({ eta: 5 }),
    call.exec(NO_RETURN),
    call.exec(NO_RETURN({ to: "a" })),
  ];
  assertType<Equal<typeof none, Promise<void>[]>>();
  const all = [
    call.broadcast({ returnResult: true }),
    call.broadcast({ returnResult: true, timeout: "5s" }),
    call.exec(BROADCAST({ returnResult: true })),
  ];
  assertType<Equal<typeof all, Promise<Record<string, number>>[]>>();
  const tasks = [call.period({ interval: "5s" }), call.exec(PERIOD({ cron: "0 9 * * 1-5" }))];
  assertType<Equal<typeof tasks, Promise<ScheduledTask>[]>>();
  const told = [
    call.broadcast(),
    call.broadcast({ timeout: "5s" }),
    call.broadcast({ returnResult: false }),
    call.exec(BROADCAST),
    call.exec(BROADCAST({ returnResult: false })),
    call.exec(BROADCAST({ timeout: 5 })),
  ];
  assertType<Equal<typeof told, Promise<void>[]>>();
}

function _streams(g: Global<Remote>, source: AsyncIterable<{ n: number }>): void {
  const streams = [
    g.call.hear([{ n: 1 }]).stream(),
    g.call.hear(new Set([{ n: 1 }])).stream({ to: "a" }),
    g.call.hear(source).exec(STREAM),
    g.call.hear(source).exec(STREAM({ timeout: "5s" })),
  ];
  assertType<Equal<typeof streams, Promise<void>[]>>();
  // @ts-expect-error the items are of another type
  g.call.hear(["text"]).stream();
  // @ts-expect-error a callback with two arguments cannot be streamed to
  g.call.add([1, 2]);
  // @ts-expect-error of an iterable of items only a stream can be made
  g.call.hear(source).fg();
  // @ts-expect-error of an iterable of items only a stream can be made
  g.call.hear(source).exec(BG);
}

interface OneArgument {
  optional(n?: number): void;
  defaulted: (n: number, times?: number) => void;
  rest(...numbers: number[]): number;
  anything(value: unknown): void;
  list(items: unknown[]): void;
  text(text: string): string;
  pair(a: number, b: number): void;
  none(): void;
  two(...pair: [number, number]): void;
}

function _streamsToOneArgument(g: Global<OneArgument>, source: AsyncIterable<number>): void {
  const streams = [
    g.call.optional([1, 2]).stream(),
    g.call.defaulted(source).exec(STREAM),
    g.call.rest([1, 2]).stream({ to: "a" }),
    g.call.anything([1, 2]).stream(),
    g.call.anything(source).exec(STREAM({ timeout: "5s" })),
    g.call.list([[1], ["2"]]).stream(),
  ];
  assertType<Equal<typeof streams, Promise<void>[]>>();
  const call: RemoteCall<void> = g.call.anything([1, 2]);
  assertType<Equal<ReturnType<typeof call.fg>, Promise<void>>>();
  const sum = g.call.rest(1, 2);
  assertType<Equal<typeof sum, RemoteCall<number>>>();
  // @ts-expect-error the items are of another type
  g.call.optional(["text"]).stream();
  // @ts-expect-error the items are of another type
  g.call.rest(["text"]).stream();
  // @ts-expect-error of a list of numbers only a stream can be made
  g.call.rest([1, 2]).fg();
}

function _noStreams(g: Global<OneArgument & Remote>): void {
  // @ts-expect-error there are two arguments
  g.call.pair(1, 2).stream();
  // @ts-expect-error there are two arguments
  g.call.pair(1, 2).exec(STREAM);
  // @ts-expect-error there are two arguments
  g.call.pair([[1, 2]]).stream();
  // @ts-expect-error there are two arguments
  g.call.two([1]).stream();
  // @ts-expect-error there is no argument
  g.call.none().stream();
  // @ts-expect-error there are several
  g.call.rest(1, 2).stream();
  // @ts-expect-error a text is a value
  g.call.text("abc").stream();
  // @ts-expect-error a number gives no items
  g.call.optional(1).stream();
  // @ts-expect-error an object gives no items
  g.call.hear({ n: 1 }).stream();
}

async function _notAwaited(g: Global<Remote>): Promise<void> {
  // @ts-expect-error that would be one call with the list as its item
  await g.call.hear([{ n: 1 }]);
}

async function _iterableArguments(
  g: Global<{ total(from: string, items: AsyncIterable<number> | undefined): number }>,
): Promise<void> {
  function* upTo(n: number) {
    for (let i = 0; i < n; i++) yield i;
  }
  async function* later() {
    yield* upTo(3);
  }
  const sums = [
    await g.call.total("a", upTo(3)),
    await g.call.total("a", later()),
    await g.call.total("a", undefined),
  ];
  assertType<Equal<typeof sums, number[]>>();
  // @ts-expect-error the items are of another type
  g.call.total("a", ["text"].values());
}

type Bytes = Uint8Array<ArrayBuffer>;

interface Iterators {
  iterator(): IterableIterator<number>;
  object(): IteratorObject<number, undefined, unknown>;
  keys(): MapIterator<number>;
  later(): Promise<Generator<number, string>>;
  stream(): ReadableStream<number>;
  maybe(): SetIterator<number> | undefined;
  iterable(): Iterable<number>;
  values(): [number[], readonly string[], string, Map<string, number>, Set<number>, Bytes];
  list(): readonly number[];
  pair(): [number, string];
  text(): "a" | "b";
  map(): Map<string, number>;
  set(): ReadonlySet<number>;
  bytes(): Bytes;
  listOrNot(): number[] | undefined;
}

async function _iteratorResults({ call }: Global<Iterators>): Promise<void> {
  const streams = [
    await call.iterator(),
    await call.object(),
    await call.keys(),
    await call.later(),
    await call.stream(),
  ];
  assertType<Equal<typeof streams, AsyncIterableIterator<number>[]>>();
  const maybe = await call.maybe();
  assertType<Equal<typeof maybe, AsyncIterableIterator<number> | undefined>>();
  for await (const n of call.keys()) assertType<Equal<typeof n, number>>();
  // @ts-expect-error it arrives as an async iterator
  for (const n of await call.keys()) n.toFixed();
  // @ts-expect-error it arrives as an async iterator
  for (const n of await call.iterator()) n.toFixed();
  for await (const n of call.iterable()) assertType<Equal<typeof n, number>>();
  for await (const n of await call.iterable()) assertType<Equal<typeof n, number>>();
  // @ts-expect-error it is a list or the like, or arrives as an async iterator
  for (const n of await call.iterable()) n.toFixed();
}

async function _valueResults({ call }: Global<Iterators>): Promise<void> {
  const values = await call.values();
  assertType<Equal<typeof values, ReturnType<Iterators["values"]>>>();
  const list = await call.list();
  assertType<Equal<typeof list, readonly number[]>>();
  const pair = await call.pair();
  assertType<Equal<typeof pair, [number, string]>>();
  const text = await call.text();
  assertType<Equal<typeof text, "a" | "b">>();
  const map = await call.map();
  assertType<Equal<typeof map, Map<string, number>>>();
  const set = await call.set();
  assertType<Equal<typeof set, ReadonlySet<number>>>();
  const bytes = await call.bytes();
  assertType<Equal<typeof bytes, Bytes>>();
  const listOrNot = await call.listOrNot();
  assertType<Equal<typeof listOrNot, number[] | undefined>>();
}

interface Takers {
  plain(numbers: Iterable<number>): number;
  iterator(numbers: IterableIterator<number>): number;
  either(numbers: Iterable<number> | AsyncIterable<number>): number;
  entries(entries?: Iterable<readonly [string, number]>): number;
  text(letters: Iterable<string>): string;
}

function _iteratorArguments({ call }: Global<Takers>, numbers: Generator<number>): void {
  const calls = [
    call.plain([1, 2]),
    call.plain([]),
    call.plain(new Set([1, 2])),
    call.plain(new Uint8Array(2)),
    call.either(numbers),
    call.either([1, 2]),
    call.either(numbers as Iterable<number>),
    call.either(ReadableStream.from([1, 2])),
    call.entries(),
    call.entries(undefined),
    call.entries([["a", 1]]),
    call.entries(new Map([["a", 1]])),
  ];
  assertType<Equal<typeof calls, RemoteCall<number>[]>>();
  call.text("abc").fg();
  // @ts-expect-error a generator arrives as an async iterator
  call.plain(numbers);
  // @ts-expect-error so may this
  call.plain(numbers as Iterable<number>);
  // @ts-expect-error an iterator arrives as an async iterator
  call.plain(new Set([1]).values());
  // @ts-expect-error the callback would get an async iterator
  call.iterator(numbers);
  // @ts-expect-error the items are of another type
  call.plain(["a"]);
  // @ts-expect-error the items are of another type
  call.plain(new Set(["a"]));
}

function _undefinedOptions(g: Global<Remote>, timeout: string | undefined): void {
  g.call.add(1, 2).fg({ timeout, to: undefined });
  g.call.add(1, 2).period({ interval: "1s", catchUp: timeout });
}

async function _wrongCalls(g: Global<Remote>): Promise<void> {
  // @ts-expect-error nobody offers it
  g.call.subtract(1, 2);
  // @ts-expect-error an argument is missing
  g.call.add(1);
  // @ts-expect-error an argument is too much
  g.call.add(1, 2, 3);
  // @ts-expect-error an argument has another type
  g.call.add(1, "2");
  // @ts-expect-error a field has another type
  g.call.hear({ n: "1" });
  // @ts-expect-error the result has another type
  const _text: string = await g.call.add(1, 2);
  // @ts-expect-error the call itself is no result
  const _sum: number = g.call.add(1, 2);
  // @ts-expect-error the results come by process
  const _one: number = await g.call.add(1, 2).broadcast({ returnResult: true });
  // @ts-expect-error a number has no items
  for await (const n of g.call.add(1, 2)) n.toFixed();
  // @ts-expect-error a text has none either
  for await (const c of g.call.name()) c.toUpperCase();
  // @ts-expect-error callbacks cannot be set
  g.call.add = () => 5;
}

function _wrongOptions(g: Global<Remote>): void {
  const call = g.call.add(1, 2);
  // @ts-expect-error there is no such option
  call.fg({ timout: 5 });
  // @ts-expect-error a call in the foreground is not delayed
  call.fg({ eta: 5 });
  // @ts-expect-error there is no such strategy
  call.bg({ strategy: "fastest" });
  // @ts-expect-error nobody waits for a result
  call.noReturn({ timeout: 5 });
  // @ts-expect-error a broadcast goes to all
  call.broadcast({ to: "a" });
  // @ts-expect-error there is no such option
  call.exec(BG({ returnResult: true }));
  // @ts-expect-error a task needs to know when
  call.period();
  // @ts-expect-error this is no modifier
  call.exec({});
}

type Calculator = CallbacksOf<typeof calculator>;

function _names(): void {
  assertType<
    Equal<
      keyof Calculator,
      | "add"
      | "describe"
      | "count"
      | "lines"
      | "save"
      | "sum"
      | "total"
      | "deposit"
      | "currency"
      | "interest"
    >
  >();
}

async function _module(g: Global<Calculator>): Promise<void> {
  const sum = await g.call.add(1, 2);
  assertType<Equal<typeof sum, number>>();
  const text = await g.call.describe("a");
  assertType<Equal<typeof text, string>>();
  await g.call.describe("a", 3);
  for await (const n of g.call.count(5)) assertType<Equal<typeof n, number>>();
  for await (const line of g.call.lines("a.txt")) assertType<Equal<typeof line, string>>();
  const variadic = await g.call.sum(1, 2, 3);
  assertType<Equal<typeof variadic, number>>();
  const deposited = await g.call.deposit(5);
  assertType<Equal<typeof deposited, number>>();
  const currency = await g.call.currency();
  assertType<Equal<typeof currency, "EUR" | "USD">>();
  const interest = await g.call.interest(0.1);
  assertType<Equal<typeof interest, number>>();
  g.call.save([{ name: "a" }, { name: "b", age: 5 }]).stream();
}

async function _class(g: Global<CallbacksOf<typeof calculator.Savings>>): Promise<void> {
  assertType<
    Equal<
      keyof CallbacksOf<typeof calculator.Savings>,
      "deposit" | "currency" | "interest"
    >
  >();
  const deposited = await g.call.deposit(5);
  assertType<Equal<typeof deposited, number>>();
  const currency = await g.call.currency();
  assertType<Equal<typeof currency, "EUR" | "USD">>();
}

async function _optional(g: Global<{ ping?: (n: number) => string } & Partial<Remote>>) {
  const pong = await g.call.ping(1);
  assertType<Equal<typeof pong, string>>();
  const sum = await g.call.add(1, 2);
  assertType<Equal<typeof sum, number>>();
}

function _wrongModule(g: Global<Calculator>): void {
  // @ts-expect-error no function
  g.call.version();
  // @ts-expect-error private by its name
  g.call._internal();
  // @ts-expect-error private by its name
  g.call._audit();
  // @ts-expect-error a class is not called; its methods are
  g.call.Account();
  // @ts-expect-error a field
  g.call.balance();
  // @ts-expect-error another type
  g.call.deposit("5");
  // @ts-expect-error another type
  g.call.count("5");
}

async function _passingStreams(g: Global<Calculator>, source: AsyncIterable<number>) {
  async function* generated() {
    yield await Promise.resolve(1);
  }
  const totals = [await g.call.total(source), await g.call.total(generated())];
  assertType<Equal<typeof totals, number[]>>();
  // @ts-expect-error items of another type
  await g.call.total(["a"].values());
}

async function _untyped(g: Global): Promise<void> {
  const result = await g.call.anything(1, "two", { three: 3 });
  assertType<0 extends 1 & typeof result ? true : false>();
  for await (const item of g.call.anything()) {
    assertType<0 extends 1 & typeof item ? true : false>();
  }
}

function _members(g: Global<Remote>): void {
  assertType<Equal<typeof g.ready, Promise<void>>>();
  assertType<Equal<typeof g.port, number | undefined>>();
  assertType<Equal<typeof g.registeredCallbacks, Record<string, string[]>>>();
  // @ts-expect-error a process keeps its name
  g.processName = "other";
}

Deno.test("remote types: this file compiles, and each of its wrong calls does not", () => {});
