/**
 * One system as its caller sees it. Runs in Deno and in Node.js.
 *
 * @module
 */

/**
 * What is measured of a system. Members that it cannot do are missing. All but `oneWay`, `download`
 * and `upload` are called up to 512 at a time.
 */
export interface Contender {
  /** Calls a function of the callee that adds two numbers. */
  add(a: number, b: number): PromiseLike<number>;
  /** Calls a function of the callee that gives back its argument: a plain object or an array. */
  echo?(value: unknown): PromiseLike<unknown>;
  /** The same for bytes, which travel as bytes. */
  echoBytes?(bytes: Uint8Array): PromiseLike<Uint8Array>;
  /** Largest array that {@linkcode Contender.echoBytes} takes. @default {no limit} */
  readonly maxEchoBytes?: number;
  /**
   * Sends calls that want no answer, each with a number, as fast as the system lets it. Resolves
   * when the callee has run all of them; rejects if one was lost.
   */
  oneWay?(count: number): PromiseLike<void>;
  /** Takes the numbers from 0 to `count - 1` as a stream that the callee makes; rejects if one is missing. */
  download?(count: number): PromiseLike<void>;
  /** Gives the same numbers as a stream to the callee; resolves when it has taken all of them. */
  upload?(count: number): PromiseLike<void>;
  /** Calls `add(1, 2)` on `targets` processes and resolves with how many answers came: all. */
  broadcast?(targets: 10 | 50): PromiseLike<number>;
  /** Ends the connections. */
  close(): PromiseLike<void>;
}
