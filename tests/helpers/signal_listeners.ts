/**
 * Who listens to abort signals.
 *
 * @module
 */

type Listen = EventTarget["addEventListener"];

/** Counts the listeners on all abort signals, from when it is made until it is disposed. */
export class SignalListeners implements Disposable {
  /** How many were added. */
  added = 0;
  readonly #present = new Set<unknown>();

  constructor() {
    const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
    const present = this.#present;
    const added = () => this.added++;
    const prototype = AbortSignal.prototype as EventTarget;
    prototype.addEventListener = function (...args: Parameters<Listen>) {
      added();
      present.add(args[1]);
      add.apply(this, args);
    };
    prototype.removeEventListener = function (...args: Parameters<Listen>) {
      present.delete(args[1]);
      remove.apply(this, args);
    };
  }

  /** How many were not removed. */
  get left(): number {
    return this.#present.size;
  }

  [Symbol.dispose](): void {
    const prototype = AbortSignal.prototype as Partial<EventTarget>;
    delete prototype.addEventListener;
    delete prototype.removeEventListener;
  }
}
