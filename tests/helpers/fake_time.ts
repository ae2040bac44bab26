/**
 * Time that only moves when a test moves it.
 *
 * @module
 */

// @ts-types="@types/sinonjs__fake-timers"
import { install } from "@sinonjs/fake-timers";

/** What {@linkcode FakeTime} takes the place of. */
const FAKED = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] as const;

/**
 * Takes the place of the timers and the clock while it lives, with the names of `FakeTime` in
 * `@std/testing`. Like a real clock, and unlike that one, it fires a timer of more than 2^31-1 ms
 * at once, so that a test can see a delay which is not split.
 *
 * @example
 * ```ts ignore
 * using time = new FakeTime();
 * setTimeout(() => console.log("now"), 1000);
 * time.tick(1000);
 * ```
 */
export class FakeTime implements Disposable {
  readonly #clock: ReturnType<typeof install>;

  /** @param startMs Epoch milliseconds at which time stands still; now if not given. */
  constructor(startMs: number = Date.now()) {
    this.#clock = install({ now: startMs, toFake: [...FAKED] });
  }

  /** Epoch milliseconds. */
  get now(): number {
    return this.#clock.now;
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#clock.countTimers();
  }

  /** Moves time and fires what is due, in order. @param ms How far, in milliseconds. */
  tick(ms = 0): void {
    this.#clock.tick(ms);
  }

  /**
   * Like {@linkcode tick}, and lets promises settle before, between and after the timers.
   *
   * @param ms How far, in milliseconds.
   */
  async tickAsync(ms = 0): Promise<void> {
    await this.#clock.tickAsync(ms);
  }

  /**
   * Moves time as it moves for a process that is blocked or suspended: what is due fires at its end.
   *
   * @param ms How far, in milliseconds.
   */
  jump(ms: number): void {
    this.#clock.jump(ms);
  }

  /** Sets the clock back; timers go on as before. @param ms How far, in milliseconds. */
  setBack(ms: number): void {
    this.#clock.setSystemTime(this.now - ms);
  }

  /** Lets promises settle without moving time. */
  async runMicrotasks(): Promise<void> {
    await this.#clock.tickAsync(0);
  }

  /** Moves time to the next timer and fires it. */
  next(): void {
    this.#clock.next();
  }

  /** Gives the real timers and clock back. */
  restore(): void {
    this.#clock.uninstall();
  }

  /** {@linkcode restore}. */
  [Symbol.dispose](): void {
    this.restore();
  }
}
