/**
 * The calls that wait for an answer, by call id.
 *
 * @module
 */

const FIRST_CAPACITY = 256;
const MAX_CALL_ID = 0x7fffffff;

/**
 * A table whose slot is the id's lowest bits: an array look-up, where a `Map` would hash. Ids go up
 * through all 31 bits before one comes again, so an answer that comes long after its call timed out
 * finds nobody.
 */
export class PendingTable<T extends { callId: number }> {
  #slots: (T | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined);
  #size = 0;
  #nextId = 1;

  /** @param firstId The id of the first call; another one only in tests. */
  constructor(firstId = 1) {
    this.#nextId = firstId;
  }

  /** How many calls wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds a call and gives it its id. */
  add(call: T): void {
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    call.callId = this.nextId();
    this.#slots[call.callId & (this.#slots.length - 1)] = call;
    this.#size++;
  }

  /** An id for a call that does not wait for an answer. */
  nextId(): number {
    const mask = this.#slots.length - 1;
    let id = this.#nextId;
    while (this.#slots[id & mask] !== undefined) id = following(id);
    this.#nextId = following(id);
    return id;
  }

  /** The call with this id, if it still waits. */
  get(id: number): T | undefined {
    const call = this.#slots[id & (this.#slots.length - 1)];
    return call?.callId === id ? call : undefined;
  }

  /** Removes a call; false if it was not there. */
  delete(call: T): boolean {
    const slot = call.callId & (this.#slots.length - 1);
    if (this.#slots[slot] !== call) return false;
    this.#slots[slot] = undefined;
    this.#size--;
    return true;
  }

  /** All calls that wait; one that is removed before its turn is not given. */
  *values(): Generator<T> {
    // Of the calls of now, for the table may grow meanwhile.
    for (const call of this.#slots) {
      if (call !== undefined && this.get(call.callId) === call) yield call;
    }
  }

  /** Ids that differ in the lower bits still do in more of them, so nothing can collide. */
  #grow(): void {
    const calls = this.#slots;
    this.#slots = new Array(calls.length * 2).fill(undefined);
    for (const call of calls) {
      if (call !== undefined) this.#slots[call.callId & (this.#slots.length - 1)] = call;
    }
  }
}

function following(id: number): number {
  return id === MAX_CALL_ID ? 1 : id + 1;
}
