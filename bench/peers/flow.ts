/**
 * Numbers on their way: sent without flooding the receiver, and none lost. Runs in Deno and in
 * Node.js.
 *
 * @module
 */

/** Numbers that are sent before the sender asks whether those before them have arrived. */
const WINDOW = 4096;

/**
 * Sends the numbers from 0 to `count - 1` by a system that does not slow a sender down by itself.
 * Two windows are under way at a time, so that no buffer grows without limit and nobody waits.
 *
 * @param send Sends one; returns at once.
 * @param arrived Asks the receiver how many it has got, behind all that were sent before.
 * @throws {Error} When one was lost.
 */
export async function sendAll(
  count: number,
  send: (n: number) => void,
  arrived: () => PromiseLike<number>,
): Promise<void> {
  let before: PromiseLike<number> | undefined;
  for (let n = 0; n < count; n++) {
    send(n);
    if ((n + 1) % WINDOW === 0) {
      const asked = arrived();
      await before;
      before = asked;
    }
  }
  await before;
  expectAll(await arrived(), count);
}

/** The numbers from 0 to `count - 1`. */
export function* numbers(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n;
}

/** Takes what {@linkcode numbers} gives, in order. */
export class Taken {
  #count = 0;

  /** @throws {Error} When another number was to come. */
  take(n: number): void {
    if (n !== this.#count) throw new Error(`${n} came instead of ${this.#count}`);
    this.#count++;
  }

  /** How many have come. */
  get count(): number {
    return this.#count;
  }

  /** Begins again with 0; all must have come. */
  finish(count: number): void {
    expectAll(this.#count, count);
    this.#count = 0;
  }
}

/** @throws {Error} When some are missing. */
export function expectAll(arrived: number, count: number): void {
  if (arrived !== count) throw new Error(`${arrived} of ${count} arrived`);
}
