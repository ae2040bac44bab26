/**
 * A system that others have made, in the two processes of it that run JavaScript. Runs in Deno and
 * in Node.js.
 *
 * @module
 */

import type { Contender } from "../contender.ts";
import type { Meeting } from "../program.ts";

/** Both ends of a system. */
export interface Peer {
  /**
   * Starts the callee.
   *
   * @returns What the caller must know to reach it: fields of its {@linkcode Meeting}.
   */
  serve(meeting: Meeting): Promise<object>;
  /**
   * Starts those that answer a broadcast, all in this process but each with a connection of its own:
   * 50, of which the first ten answer a broadcast to ten.
   *
   * @returns As of {@linkcode Peer.serve}.
   */
  serveCrowd(meeting: Meeting): Promise<object>;
  /** Connects the caller to all of them. */
  connect(meeting: Meeting): Promise<Contender>;
}

/** How many answer the broadcasts. */
export const SMALL_CROWD = 10;
export const CROWD = 50;

/** Numbers that are sent before the sender asks whether the ones before them have arrived. */
const WINDOW = 4096;

/**
 * Sends the numbers from 0 to `count - 1` where the system itself does not slow a sender down. Two
 * windows are under way at a time, so that no buffer grows without limit and nobody waits.
 *
 * @param send Sends one; returns at once.
 * @param arrived Asks the receiver how many it has got, after all that were sent before.
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
  const got = await arrived();
  if (got !== count) throw new Error(`${got} of ${count} arrived`);
}

/** Takes the numbers of one stream, which must come in order from 0 on. */
export class Taken {
  #count = 0;

  take(n: number): void {
    if (n !== this.#count) throw new Error(`Item ${n} came instead of ${this.#count}`);
    this.#count++;
  }

  /** How many have come. */
  get count(): number {
    return this.#count;
  }

  /** All have come, and the next one is 0 again. */
  finish(count: number): void {
    if (this.#count !== count) throw new Error(`${this.#count} of ${count} items came`);
    this.#count = 0;
  }
}
