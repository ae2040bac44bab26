import { type AsyncResult, CallbackRegistry, Global } from "../mod.ts";
import { collectGarbage } from "./helpers/garbage.ts";
import { until } from "./helpers/soon.ts";

interface Remote {
  hold(bytes: Uint8Array): number;
  count(bytes: Uint8Array): AsyncIterable<number>;
  drain(items: AsyncIterable<number>, bytes: Uint8Array): void;
}

const SIZE = 1 << 20;
const shared = globalThis as { held?: Promise<void> };

/** Runs inline in a process that is this one, and knows nothing but what is global. */
const waitAndMeasure = ({ length }: Uint8Array) =>
  (globalThis as { held?: Promise<void> }).held!.then(() => length);

async function* whileHeld() {
  yield 1;
  await shared.held;
}

interface Case {
  /** What the caller has of a call that waits. */
  what: string;
  /** Makes it, with bytes that nobody else knows. */
  begin(g: Global<Remote>, bytes: Uint8Array): object;
  /** Awaits it; without this it is awaited itself. */
  end?(begun: object): unknown;
}

const cases: Case[] = [
  {
    what: "noReturn() with a stream among its arguments",
    begin: (g, bytes) => g.call.drain(whileHeld(), bytes).noReturn(),
  },
  {
    what: "broadcast() without results and with a stream",
    begin: (g, bytes) => g.call.drain(whileHeld(), bytes).broadcast(),
  },
  { what: "fg()", begin: (g, bytes) => g.call.hold(bytes).fg() },
  { what: "then()", begin: (g, bytes) => g.call.hold(bytes).then((size) => size) },
  {
    what: "broadcast()",
    begin: (g, bytes) => g.call.hold(bytes).broadcast({ returnResult: true }),
  },
  {
    what: "transferAndCall()",
    begin: (g, bytes) => g.transferAndCall("there", waitAndMeasure, bytes),
  },
  {
    what: "bg()",
    begin: (g, bytes) => g.call.hold(bytes).bg(),
    end: (result) => (result as AsyncResult<number>).get(),
  },
  {
    what: "bg() whose eta is over",
    begin: (g, bytes) => g.call.hold(bytes).bg({ eta: 1 }),
    end: (result) => (result as AsyncResult<number>).get(),
  },
  {
    what: "a loop over a stream",
    begin(g, bytes) {
      const items = g.call.count(bytes)[Symbol.asyncIterator]();
      items.next();
      return items;
    },
    end: (items) => (items as AsyncIterator<number>).next(),
  },
];

const awaited = (begun: object): unknown => begun;

for (const { what, begin, end = awaited } of cases) {
  Deno.test(`${what} keeps no arguments while it waits`, async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    shared.held = promise;
    const callbacks = new CallbackRegistry();
    callbacks.callback("hold", waitAndMeasure);
    callbacks.callback("drain", async (items: AsyncIterable<number>) => {
      for await (const _ of items);
    });
    callbacks.callback("count", async function* ({ length }: Uint8Array) {
      yield length;
      await shared.held;
    });
    await using there = new Global({
      ...{ processName: "there", initController: true, host: "localhost" },
      ...{ callbacks, transfer: "inline" },
    });
    await there.ready;
    const registry = { callbacks: new CallbackRegistry() };
    await using here = new Global<Remote>({ host: "localhost", port: there.port, ...registry });
    await here.waitFunction("count");

    const start = () => {
      const bytes = new Uint8Array(SIZE);
      return [new WeakRef(bytes.buffer), begin(here, bytes)] as const;
    };
    const [bytes, begun] = start();
    await until(() => {
      collectGarbage();
      return bytes.deref() === undefined;
    });
    resolve();
    await end(begun);
    delete shared.held;
  });
}
