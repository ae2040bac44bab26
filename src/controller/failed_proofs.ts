/**
 * Addresses that have sent wrong proofs wait before they may try again.
 *
 * @module
 */

import { monotonicMs } from "../internal/monotonic.ts";
import { within } from "../internal/within.ts";
import { Refused } from "../link/accept_node.ts";
import {
  FORGET_PROOFS_AFTER_MS,
  MAX_DELAYED_ADDRESSES,
  MAX_DELAYED_HANDSHAKES,
  MAX_PROOF_DELAY_MS,
  MIN_PROOF_DELAY_MS,
} from "../wire/limits.ts";

interface Suspect {
  /** Wrong proofs so far. */
  failures: number;
  /** When its next handshake may go on. */
  until: number;
  /** When it sent the last wrong proof. */
  lastAt: number;
  /** Its handshakes that are under way. */
  underWay: number;
}

/** One handshake of an address. */
export interface Attempt {
  /** Waits, but not longer than until `over`. @throws {Refused} when too many others wait already. */
  turn(over: Promise<void>): Promise<void>;
  /** It sent a wrong proof. */
  failed(): void;
  /** It is over. */
  end(): void;
}

/** Knows which addresses have sent wrong proofs. */
export class FailedProofs {
  /** In the order of the last wrong proof. */
  readonly #suspects = new Map<string, Suspect>();
  readonly #now: () => number;

  /** @param now The clock. */
  constructor(now: () => number = monotonicMs) {
    this.#now = now;
  }

  /** Begins a handshake. @param address From where; without one it never waits. */
  begin(address: string | undefined): Attempt {
    if (address === undefined) return { turn: () => Promise.resolve(), failed() {}, end() {} };
    const network = networkOf(address);
    let counted: Suspect | undefined;
    let isOver = false;
    return {
      turn: async (over) => {
        const suspect = this.#find(network);
        if (suspect === undefined || isOver) return; // who has hung up already takes no place
        if (suspect.underWay >= MAX_DELAYED_HANDSHAKES) {
          throw new Refused("OVERLOADED", "Cannot join yet: this address has sent wrong proofs");
        }
        counted = suspect;
        suspect.underWay++;
        const delayMs = suspect.until - this.#now();
        if (delayMs > 0) await within(over, delayMs);
      },
      failed: () => this.#failed(network),
      end: () => {
        isOver = true;
        if (counted !== undefined) counted.underWay--;
        counted = undefined;
      },
    };
  }

  #find(network: string): Suspect | undefined {
    const suspect = this.#suspects.get(network);
    if (suspect === undefined) return undefined;
    if (this.#now() - suspect.lastAt < FORGET_PROOFS_AFTER_MS) return suspect;
    this.#suspects.delete(network);
    return undefined;
  }

  #failed(network: string): void {
    const now = this.#now();
    const suspect = this.#find(network) ?? { failures: 0, until: 0, lastAt: now, underWay: 0 };
    const delayMs = MIN_PROOF_DELAY_MS * 2 ** Math.min(suspect.failures++, 16);
    suspect.until = now + Math.min(delayMs, MAX_PROOF_DELAY_MS);
    suspect.lastAt = now;
    this.#suspects.delete(network);
    this.#suspects.set(network, suspect);
    if (this.#suspects.size <= MAX_DELAYED_ADDRESSES) return;
    for (const oldest of this.#suspects.keys()) return void this.#suspects.delete(oldest);
  }
}

/** Whoever has one IPv6 address has all that begin with the same 64 bits. */
function networkOf(address: string): string {
  const [front = "", back] = address.split("%")[0]!.split("::");
  if (!front.includes(":") && back === undefined || address.includes(".")) return address;
  const groups = front === "" ? [] : front.split(":");
  const rest = back === undefined || back === "" ? [] : back.split(":");
  while (back !== undefined && groups.length + rest.length < 8) groups.push("0");
  return [...groups, ...rest].slice(0, 4).join(":");
}
