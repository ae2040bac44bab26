/**
 * The callbacks of other processes as the user sees them.
 *
 * @module
 */

interface Offering {
  readonly name: string;
  readonly callbacks: ReadonlyMap<number, string>;
}

/** An object that the user may keep: it stays up to date. It is made when somebody looks at it. */
export class ShownCallbacks {
  #shown: Record<string, string[]> | undefined;

  /** The callbacks by process name. @param processes Gives those that there are. */
  all(processes: () => Iterable<Offering>): Record<string, string[]> {
    if (this.#shown !== undefined) return this.#shown;
    this.#shown = {};
    for (const process of processes()) this.show(process);
    return this.#shown;
  }

  /** A process has come, or offers something else. */
  show({ name, callbacks }: Offering): void {
    if (this.#shown === undefined) return;
    const own = { value: [...callbacks.values()], writable: true }; // also if it is `__proto__`
    const field = { ...own, enumerable: true, configurable: true };
    this.#check(Reflect.defineProperty(this.#shown, name, field));
  }

  /** A process is gone. */
  forget({ name }: Offering): void {
    if (this.#shown !== undefined) this.#check(Reflect.deleteProperty(this.#shown, name));
  }

  /** Whoever has frozen it keeps what it was. */
  #check(isDone: boolean): void {
    if (!isDone) this.#shown = undefined;
  }
}
