/**
 * What the controller is told of the own callbacks.
 *
 * @module
 */

import type { CallbackRegistry, RegistryChange } from "../registry/callback_registry.ts";
import { encodeControl, type Welcome } from "../wire/control.ts";
import { type Frame, frame, Kind } from "../wire/frame.ts";
import { MAX_CALLBACKS_PER_NODE } from "../wire/limits.ts";

/** So many of the longest names fit where only the smallest frames are accepted. */
const NAMES_PER_FRAME = 200;

/**
 * Tells of what is registered at once, and of what is withdrawn at the end of the turn: a callback that
 * another one takes the place of in between was never away for anybody.
 */
export class Offers {
  readonly #registry: CallbackRegistry;
  readonly #send: (frame: Frame) => void;
  readonly #withdrawn = new Set<string>();

  /**
   * @param registry What is offered.
   * @param send Tells the controller, if there is a connection.
   */
  constructor(registry: CallbackRegistry, send: (frame: Frame) => void) {
    this.#registry = registry;
    this.#send = send;
  }

  /** The registry has changed. */
  changed({ offered, names }: RegistryChange): void {
    if (!offered) {
      if (this.#withdrawn.size === 0) queueMicrotask(() => this.#tellWithdrawn());
      for (const name of names) this.#withdrawn.add(name);
      return;
    }
    const others = names.filter((name) => !this.#withdrawn.delete(name));
    if (others.length === 0) return;
    const count = this.#registry.names().length + this.#withdrawn.size;
    if (count > MAX_CALLBACKS_PER_NODE) this.#tellWithdrawn(); // first, for no more are allowed
    this.#tell(Kind.Offer, others);
  }

  /** What was registered or withdrawn between `HELLO` and `WELCOME`. */
  catchUp({ id, processes }: Welcome): void {
    const own = processes.find(([process]) => process === id)?.[2] ?? [];
    this.#withdrawn.clear();
    const told = new Set(own.map(([, name]) => name));
    const names = new Set(this.#registry.names());
    this.#tell(Kind.Withdraw, [...told].filter((name) => !names.has(name))); // first, or they may be too many
    this.#tell(Kind.Offer, [...names].filter((name) => !told.has(name)));
  }

  /** Nobody should choose this node any more. */
  withdrawAll(): void {
    this.#tellWithdrawn();
    this.#tell(Kind.Withdraw, this.#registry.names());
  }

  #tellWithdrawn(): void {
    this.#tell(Kind.Withdraw, [...this.#withdrawn]);
    this.#withdrawn.clear();
  }

  #tell(kind: Kind, names: readonly string[]): void {
    for (let from = 0; from < names.length; from += NAMES_PER_FRAME) {
      const payload = encodeControl(names.slice(from, from + NAMES_PER_FRAME));
      this.#send(frame(kind, { payload }));
    }
  }
}
