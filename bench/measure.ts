/**
 * How a caller is measured: the same for every system. Runs in Deno and in Node.js.
 *
 * @module
 */

import type { Contender } from "./contender.ts";
import { ECHO_IN_FLIGHT, type Figures, type Work, type WorkName, WORKS } from "./works.ts";

/**
 * What a work is made of: a call that is timed on its own, or a burst of `count` operations that is
 * timed as a whole.
 */
export type Operation =
  | { call(): PromiseLike<unknown> }
  | { burst(count: number): PromiseLike<unknown>; bytesEach?: number };

/** What was measured, and how many operations that took, those of the warm-up included. */
export interface Measured {
  readonly figures: Figures;
  readonly operations: number;
}

/**
 * How many times as long as the measurement the warm-up lasts: by then the runtimes have compiled what is
 * hot, and grown their heaps as the work wants them, so that it is told what a process does that runs for long.
 */
const WARM_UP_FACTOR = 4;
/** Calls that are timed on their own are fewer by far, and the runtimes compile by number. */
const LATENCY_WARM_UP_FACTOR = 16;

/**
 * Does a work for some time, after a warm-up.
 *
 * @param operation What is done.
 * @param ms How long, about.
 */
export function measure(operation: Operation, ms: number): Promise<Measured> {
  return "call" in operation
    ? measureLatency(operation.call, ms)
    : measureBursts(operation.burst, ms, operation.bytesEach);
}

async function measureLatency(call: () => PromiseLike<unknown>, ms: number): Promise<Measured> {
  const warm = await latencies(call, ms * LATENCY_WARM_UP_FACTOR);
  const timed = await latencies(call, ms);
  const sorted = timed.samples.sort();
  return {
    figures: {
      p50Us: percentile(sorted, 0.5) * 1000,
      p99Us: percentile(sorted, 0.99) * 1000,
      perSecond: sorted.length / timed.elapsedMs * 1000,
    },
    operations: warm.samples.length + sorted.length,
  };
}

async function latencies(
  call: () => PromiseLike<unknown>,
  ms: number,
): Promise<{ samples: Float64Array; elapsedMs: number }> {
  const samples: number[] = [];
  const start = performance.now();
  let now = start;
  do {
    await call();
    const after = performance.now();
    samples.push(after - now);
    now = after;
  } while (now - start < ms);
  return { samples: Float64Array.from(samples), elapsedMs: now - start };
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

const FIRST_BURST = 4;
/** So few of them would tell how expensive memory is that nobody has used before, and little else. */
const MIN_OPERATIONS = 32;

/** Bursts four times as long each time, until they tell how many operations fill the time. */
async function measureBursts(
  burst: (count: number) => PromiseLike<unknown>,
  ms: number,
  bytesEach: number | undefined,
): Promise<Measured> {
  let operations = 0;
  const time = async (count: number) => {
    const start = performance.now();
    await burst(count);
    operations += count;
    return performance.now() - start;
  };
  let count = FIRST_BURST;
  for (let warmMs = 0; warmMs < ms * WARM_UP_FACTOR;) {
    const tookMs = await time(count);
    warmMs += tookMs;
    count = Math.max(1, Math.min(count * 4, Math.round(count * ms / tookMs)));
  }
  count = Math.max(MIN_OPERATIONS, count);
  const perSecond = count / await time(count) * 1000;
  const figures = bytesEach === undefined
    ? { perSecond }
    : { mebibytesPerSecond: perSecond * bytesEach / 1024 ** 2 };
  return { figures, operations };
}

/**
 * A work as one system does it.
 *
 * @returns `undefined` if the system cannot.
 * @throws {Error} when an answer is wrong.
 */
export async function operationOf(
  contender: Contender,
  name: WorkName,
): Promise<Operation | undefined> {
  const work: Work = WORKS[name];
  switch (work.kind) {
    case "sequential":
      expect(await contender.add(1, 2), 3);
      return { call: () => contender.add(1, 2) };
    case "add":
      expect(await contender.add(1, 2), 3);
      return lanes(() => contender.add(1, 2), work.inFlight);
    case "echo": {
      if (contender.echo === undefined) return undefined;
      const { value } = work;
      expect(JSON.stringify(await contender.echo(value)), JSON.stringify(value));
      return lanes(() => contender.echo!(value), ECHO_IN_FLIGHT);
    }
    case "echoBytes": {
      const { echoBytes, maxEchoBytes = Infinity } = contender;
      if (echoBytes === undefined || work.bytes > maxEchoBytes) return undefined;
      const bytes = new Uint8Array(work.bytes).fill(7);
      const echoed = await contender.echoBytes!(bytes);
      expect(echoed.byteLength, work.bytes);
      expect(echoed[work.bytes - 1], 7);
      return { ...lanes(() => contender.echoBytes!(bytes), 1), bytesEach: work.bytes };
    }
    case "broadcast": {
      if (contender.broadcast === undefined) return undefined;
      const { targets } = work;
      expect(await contender.broadcast(targets), targets);
      return { call: () => contender.broadcast!(targets) };
    }
    default: {
      if (contender[work.kind] === undefined) return undefined;
      return { burst: (count) => contender[work.kind]!(count) };
    }
  }
}

/** Keeps a number of calls under way. */
export function lanes(call: () => PromiseLike<unknown>, inFlight: number): Operation {
  const burst = async (count: number) => {
    let left = count;
    const lane = async () => {
      while (left-- > 0) await call();
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
  };
  return { burst };
}

function expect(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`Wrong answer: ${actual} instead of ${expected}`);
}
