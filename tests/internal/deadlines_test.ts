import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Deadlines, type Expiring } from "../../src/internal/deadlines.ts";
import { monotonicMs } from "../../src/internal/monotonic.ts";
import { FakeTime } from "../helpers/fake_time.ts";

interface Item extends Expiring {
  readonly name: string;
}

interface Watched {
  time: FakeTime;
  deadlines: Deadlines<Item>;
  expired: [name: string, afterMs: number][];
  item(name: string, afterMs: number): Item;
  add(item: Item): void;
  remove(item: Item): void;
}

function watch(fn: (watched: Watched) => void, onExpired?: (item: Item) => void): void {
  using time = new FakeTime(0);
  const expired: Watched["expired"] = [];
  const items = new Set<Item>();
  const deadlines = new Deadlines<Item>(() => items, (item) => {
    items.delete(item);
    expired.push([item.name, time.now]);
    onExpired?.(item);
  }, () => time.now);
  fn({
    time,
    deadlines,
    expired,
    item: (name, deadlineAt) => ({ name, deadlineAt }),
    add(item) {
      items.add(item);
      deadlines.added(item);
    },
    remove: (item) => items.delete(item),
  });
}

Deno.test("Deadlines expires each item at its deadline, with one timer for all", () => {
  watch(({ time, expired, item, add }) => {
    for (const [name, at] of [["b", 200], ["a", 100], ["c", 300]] as const) {
      add(item(name, at));
    }
    assertEquals(time.pending, 1);
    time.tick(99);
    assertEquals(expired, []);
    time.tick(1);
    assertEquals(expired, [["a", 100]]);
    assertEquals(time.pending, 1);
    time.tick(1000);
    assertEquals(expired, [["a", 100], ["b", 200], ["c", 300]]);
    assertEquals(time.pending, 0);
  });
});

Deno.test("Deadlines expires no item that was removed", () => {
  watch(({ time, expired, item, add, remove }) => {
    const [a, b] = [item("a", 100), item("b", 200)];
    add(a);
    add(b);
    remove(a);
    time.tick(1000);
    assertEquals(expired, [["b", 200]]);
    assertEquals(time.pending, 0);
  });
});

Deno.test("Deadlines sets no timer for an item without a deadline", () => {
  watch(({ time, item, add }) => {
    add(item("never", Infinity));
    assertEquals(time.pending, 0);
  });
});

Deno.test("Deadlines expires an item whose deadline has passed as soon as possible", () => {
  watch(({ time, expired, item, add }) => {
    time.tick(500);
    add(item("late", 100));
    assertEquals(expired, []);
    time.tick(1);
    assertEquals(expired.map(([name]) => name), ["late"]);
  });
});

Deno.test("Deadlines looks at a deadline between two milliseconds at the later one only", () => {
  using time = new FakeTime(0);
  const expired: number[] = [];
  let looks = 0;
  const item = { name: "a", deadlineAt: 99.5 };
  const deadlines = new Deadlines<Item>(
    () => [item],
    () => expired.push(time.now),
    () => (looks++, time.now),
  );
  deadlines.added(item);
  const before = looks;
  time.tick(99);
  assertEquals([expired, looks], [[], before]);
  time.tick(1);
  assertEquals(expired, [100]);
});

Deno.test("Deadlines waits longer than one timer can", () => {
  watch(({ time, expired, item, add }) => {
    const farMs = 3 * 2 ** 31;
    add(item("far", farMs));
    time.tick(farMs - 1);
    assertEquals(expired, []);
    time.tick(1);
    assertEquals(expired, [["far", farMs]]);
    assertEquals(time.pending, 0);
  });
});

Deno.test("Deadlines goes on when its timer fires before the deadline by the clock", () => {
  using time = new FakeTime(0);
  const expired: string[] = [];
  const slow = () => time.now / 2;
  const item = { name: "a", deadlineAt: 100 };
  const items = new Set([item]);
  const deadlines = new Deadlines<Item>(() => items, (item) => {
    items.delete(item);
    expired.push(item.name);
  }, slow);
  deadlines.added(item);
  time.tick(199);
  assertEquals(expired, []);
  time.tick(10);
  assertEquals(expired, ["a"]);
  assertEquals(time.pending, 0);
});

Deno.test("Deadlines spends a tenth of the time at most on looking, and is never very late", () => {
  for (const [tookMs, restMs] of [[2, 18], [10, 90], [1_000, 100]] as const) {
    using time = new FakeTime(0);
    let spentMs = 0;
    const sweptAt: number[] = [];
    const items = Array.from({ length: 50 }, (_, i) => ({
      name: `${i}`,
      deadlineAt: 100 + i * tookMs,
    }));
    const left = new Set<Item>(items);
    const deadlines = new Deadlines<Item>(
      function* () {
        sweptAt.push(time.now);
        yield* left;
        spentMs += tookMs;
      },
      (item) => left.delete(item),
      () => time.now + spentMs,
    );
    for (const item of items) deadlines.added(item);
    time.tick(60_000);
    assertEquals(left.size, 0);
    assertEquals(sweptAt.slice(0, 3), [100, 100 + restMs, 100 + 2 * restMs]);
    deadlines.stop();
  }
});

Deno.test("Deadlines.stop() expires nothing more, leaves no timer, and sets none again", () => {
  watch(({ time, deadlines, expired, item, add }) => {
    add(item("a", 100));
    deadlines.stop();
    assertEquals(time.pending, 0);
    add(item("b", 50));
    assertEquals(time.pending, 0);
    time.tick(1000);
    assertEquals(expired, []);
    deadlines.stop();
  });
});

Deno.test("Deadlines lets onExpired() add and remove items", () => {
  const context: { watched?: Watched } = {};
  watch((watched) => {
    context.watched = watched;
    const { time, expired, item, add } = watched;
    add(item("a", 100));
    add(deleted);
    add(item("late", 400));
    time.tick(1000);
    assertEquals(expired, [["a", 100], ["added", 150], ["late", 400]]);
    assertEquals(time.pending, 0);
  }, ({ name }) => {
    const { item, add, remove } = context.watched!;
    if (name !== "a") return;
    remove(deleted);
    add(item("added", 150));
  });
});
const deleted: Item = { name: "deleted", deadlineAt: 200 };

Deno.test("Deadlines leaves no timer when onExpired() stops it, whatever else was watched", () => {
  for (const order of [["late", "due"], ["due", "late"]]) {
    const context: { watched?: Watched } = {};
    watch((watched) => {
      context.watched = watched;
      const { time, expired, item, add } = watched;
      for (const name of order) add(item(name, name === "due" ? 100 : 500));
      time.tick(100);
      assertEquals(time.pending, 0);
      time.tick(1000);
      assertEquals(expired, [["due", 100]]);
    }, () => context.watched!.deadlines.stop());
  }
});

Deno.test("Deadlines expires what is left, each at its time, whatever comes and goes (property)", () => {
  const entry = fc.record({
    addAt: fc.nat({ max: 200 }),
    lasts: fc.nat({ max: 300 }),
    deleteAfter: fc.option(fc.nat({ max: 300 }), { nil: Infinity }),
  });
  fc.assert(fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
    watch(({ time, expired, item, add, remove }) => {
      const wanted: [string, number][] = [];
      for (const [i, { addAt, lasts, deleteAfter }] of entries.entries()) {
        const each = item(String(i), addAt + lasts);
        setTimeout(() => add(each), addAt);
        if (deleteAfter < lasts) setTimeout(() => remove(each), addAt + deleteAfter);
        else wanted.push([each.name, addAt + lasts]);
      }
      time.tick(2000);
      const byName = (a: [string, number], b: [string, number]) => Number(a[0]) - Number(b[0]);
      // A delay of nothing takes the fake clock a millisecond, as it does in a browser.
      assertEquals(expired.map(([name]) => name).sort(), wanted.map(([name]) => name).sort());
      const late = expired.toSorted(byName).map(([, at], i) => at - wanted.sort(byName)[i]![1]);
      assert(late.every((ms) => ms === 0 || ms === 1), String(late));
      assertEquals(time.pending, 0);
    });
  }));
});

Deno.test("monotonicMs() never goes back", () => {
  let before = monotonicMs();
  for (let i = 0; i < 1000; i++) {
    const now = monotonicMs();
    assert(now >= before);
    before = now;
  }
});
