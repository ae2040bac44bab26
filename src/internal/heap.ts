/**
 * A priority queue from which things can also be taken out of turn.
 *
 * @module
 */

/** Something that can be in a heap. Only the heap changes its `heapIndex`. */
export interface HeapItem {
  /** Its place in the heap, or −1. */
  heapIndex: number;
}

/** A binary heap: the least item is at the top. */
export class Heap<T extends HeapItem> {
  #items: T[] = [];
  #isLess: (a: T, b: T) => boolean;

  /** @param isLess The order. */
  constructor(isLess: (a: T, b: T) => boolean) {
    this.#isLess = isLess;
  }

  /** The least item. */
  get top(): T | undefined {
    return this.#items[0];
  }

  /** Adds an item, or finds its place again after its order has changed. */
  put(item: T): void {
    if (item.heapIndex < 0) item.heapIndex = this.#items.push(item) - 1;
    this.#down(this.#up(item.heapIndex));
  }

  /** Takes an item out; does nothing if it is not in. */
  remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#items.pop()!;
    if (last === item) return;
    this.#set(index, last);
    this.#down(this.#up(index));
  }

  #set(index: number, item: T): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }

  #up(start: number): number {
    let index = start;
    const item = this.#items[index]!;
    while (index > 0) {
      const above = (index - 1) >> 1;
      if (!this.#isLess(item, this.#items[above]!)) break;
      this.#set(index, this.#items[above]!);
      index = above;
    }
    this.#set(index, item);
    return index;
  }

  #down(start: number): void {
    let index = start;
    const item = this.#items[index]!;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= this.#items.length) break;
      const right = below + 1;
      if (right < this.#items.length && this.#isLess(this.#items[right]!, this.#items[below]!)) {
        below = right;
      }
      if (!this.#isLess(this.#items[below]!, item)) break;
      this.#set(index, this.#items[below]!);
      index = below;
    }
    this.#set(index, item);
  }
}
