import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Heap, type HeapItem } from "../../src/internal/heap.ts";

interface Item extends HeapItem {
  key: number;
}

type Step = readonly [op: "put" | "remove" | "change" | "pop", item: number, key: number];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom("put" as const, "put" as const, "remove" as const, "change" as const, "pop"),
  fc.nat(19),
  fc.integer({ min: -5, max: 5 }),
) as fc.Arbitrary<Step>;

function empty(): Heap<Item> {
  return new Heap<Item>((a, b) => a.key < b.key);
}

function item(key: number): Item {
  return { key, heapIndex: -1 };
}

/** The keys in the order in which they come out. */
function drained(heap: Heap<Item>): number[] {
  const keys: number[] = [];
  for (let top = heap.top; top !== undefined; top = heap.top) {
    keys.push(top.key);
    heap.remove(top);
  }
  return keys;
}

Deno.test("Heap has the least item at the top, whatever is put, changed and removed", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const heap = empty();
      const items = Array.from({ length: 20 }, () => item(0));
      const present = new Set<Item>();
      for (const [op, index, key] of steps) {
        const chosen = op === "pop" ? heap.top : items[index]!;
        if (chosen === undefined) continue;
        if (op === "put" || op === "change") {
          chosen.key = key;
          heap.put(chosen);
          present.add(chosen);
        } else {
          heap.remove(chosen);
          present.delete(chosen);
        }
        assertEquals(items.every((one) => present.has(one) === (one.heapIndex >= 0)), true);
        const least = Math.min(...Array.from(present, (one) => one.key));
        assertEquals(heap.top?.key ?? Infinity, least);
      }
    }),
  );
});

Deno.test("Heap gives its items in their order, whatever order they came in", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 200 }), (keys) => {
      const heap = empty();
      for (const key of keys) heap.put(item(key));
      assertEquals(drained(heap), keys.toSorted((a, b) => a - b));
    }),
  );
});

Deno.test("Heap keeps its order when items are removed from anywhere in it", () => {
  const keys = fc.array(fc.nat(1_000), { minLength: 8, maxLength: 60 });
  fc.assert(
    fc.property(keys, fc.array(fc.nat(59), { maxLength: 20 }), (keys, removed) => {
      const heap = empty();
      const items = keys.map(item);
      for (const one of items) heap.put(one);
      for (const index of removed) if (index < items.length) heap.remove(items[index]!);
      const left = items.filter(({ heapIndex }) => heapIndex >= 0).map(({ key }) => key);
      assertEquals(drained(heap), left.toSorted((a, b) => a - b));
    }),
    { numRuns: 500 },
  );
});

Deno.test("Heap.remove() takes an item out though its key does not fit its place any more", () => {
  const heap = empty();
  const items = [5, 3, 8, 1, 9, 2].map(item);
  for (const one of items) heap.put(one);
  items[3]!.key = NaN;
  heap.remove(items[3]!);
  assertEquals(items[3]!.heapIndex, -1);
  assertEquals(drained(heap), [2, 3, 5, 8, 9]);
});

Deno.test("Heap.remove() does nothing with an item that is not in", () => {
  const heap = empty();
  heap.put(item(1));
  heap.remove(item(1));
  assertEquals(drained(heap), [1]);
  assertEquals(empty().top, undefined);
});
