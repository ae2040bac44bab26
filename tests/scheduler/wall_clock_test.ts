import { assertEquals } from "@std/assert";
import { changeAfter, offsetsOf } from "../../src/scheduler/wall_clock.ts";

const HOUR_MS = 3_600_000;

for (
  const [zone, at, hours] of [
    ["Europe/Berlin", "2026-03-29T01:00:00Z", 1],
    ["Europe/Berlin", "2026-10-25T01:00:00Z", -1],
    ["America/New_York", "2026-03-08T07:00:00Z", 1],
    ["Australia/Lord_Howe", "2026-04-04T15:00:00Z", -0.5],
  ] as const
) {
  Deno.test(`changeAfter() finds the second at which clocks in ${zone} change, ${at}`, () => {
    const atMs = Date.parse(at);
    const offsetAt = offsetsOf(zone);
    for (const before of [1000, 1001, 1_234_567, 2 * HOUR_MS]) {
      const change = changeAfter(offsetAt, atMs - before);
      assertEquals([change?.atMs, change!.afterMs - change!.beforeMs], [atMs, hours * HOUR_MS]);
    }
    assertEquals(changeAfter(offsetAt, atMs), undefined);
  });
}
