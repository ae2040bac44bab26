/**
 * How long a property is tried: for a moment in the test suite, as long as you like by
 * `deno task fuzz`.
 *
 * @module
 */

import fc from "fast-check";

/** In the suite every run tries the same cases, so that nobody's change fails by another's luck. */
const SUITE_SEED = 20_260_101;

/** A case that hangs would be made smaller for minutes. */
const SUITE_LIMIT_MS = 60_000;

/** Anything that `fc.assert` takes. */
type Property = Parameters<typeof fc.assert<[unknown]>>[0];

/**
 * Tries a property. A failure tells seed and path, by which `deno task fuzz --seed` finds it again.
 *
 * @param property What must hold.
 * @param runs How many cases the test suite tries.
 */
export async function fuzz<T>(
  property: fc.IProperty<[T]> | fc.IAsyncProperty<[T]>,
  runs: number,
): Promise<void> {
  const seconds = Number(Deno.env.get("DAFFI_FUZZ_SECONDS") ?? 0);
  const seed = Number(Deno.env.get("DAFFI_FUZZ_SEED") ?? SUITE_SEED);
  const length = seconds === 0
    ? { numRuns: runs, interruptAfterTimeLimit: SUITE_LIMIT_MS, markInterruptAsFailure: true }
    : { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: seconds * 1000 };
  let last: unknown;
  const run = property.run.bind(property);
  property.run = (value: [T]) => (last = run(value)) as never;
  await fc.assert(property as Property, { seed, ...length });
  await last; // when time is up, one may be under way
}
