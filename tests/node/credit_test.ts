import { assertEquals } from "@std/assert";
import { itemCost } from "../../src/node/credit.ts";

Deno.test("itemCost() is one credit, and one more for every full 4 KiB", () => {
  const KiB = 1024;
  const sizes = [0, 1, 4 * KiB - 1, 4 * KiB, 8 * KiB - 1, 8 * KiB, 1024 * KiB];
  assertEquals(sizes.map(itemCost), [1, 1, 1, 2, 2, 3, 257]);
});
