/**
 * Waiting for what others will do.
 *
 * @module
 */

interface Waiter {
  readonly met: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Those who wait until something holds. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();
  #ended: (() => Error) | undefined;

  /** Resolves when `met` holds; the second function gives up waiting. */
  until(met: () => boolean): [Promise<void>, () => void] {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { met, resolve, reject };
    if (this.#ended !== undefined) reject(this.#ended());
    else if (met()) resolve();
    else this.#waiting.add(waiter);
    return [promise, () => this.#waiting.delete(waiter)];
  }

  /** Something has changed: who waited for it goes on. */
  wake(): void {
    for (const waiter of this.#waiting) {
      if (!waiter.met()) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  /** Nothing will change any more: whoever waits is told why. */
  end(reason: () => Error): void {
    this.#ended = reason;
    for (const { reject } of this.#waiting) reject(reason());
    this.#waiting.clear();
  }
}
