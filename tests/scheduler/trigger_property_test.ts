import { compileCron } from "../../src/scheduler/cron.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { compileTrigger, dueBy, type Trigger } from "../../src/scheduler/trigger.ts";

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

const interval = fc.integer({ min: 1, max: 5_000 }).map((everyMs): Trigger => ({
  type: "interval",
  everyMs,
  startMs: START,
}));
const atTime = fc.uniqueArray(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 20 })
  .map((offsets): Trigger => ({
    type: "atTime",
    timesMs: offsets.sort((a, b) => a - b).map((offset) => START + offset),
  }));

/** All due times up to a time, one after the other. */
function allDue(trigger: Trigger, untilMs: number): number[] {
  if (trigger.type === "atTime") return trigger.timesMs.filter((time) => time <= untilMs);
  if (trigger.type === "cron") throw new Error("not listed");
  const found: number[] = [];
  for (let n = 1; trigger.startMs + n * trigger.everyMs <= untilMs; n++) {
    found.push(trigger.startMs + n * trigger.everyMs);
  }
  return found;
}

Deno.test("compileTrigger() gives the first of all due times that is later", () => {
  fc.assert(
    fc.property(
      fc.oneof(interval, atTime),
      fc.integer({ min: -1_000, max: 25_000 }),
      fc.option(fc.nat(5)),
      (trigger, offset, exactly) => {
        const listed = exactly === null ? undefined : allDue(trigger, START + 40_000)[exactly];
        const after = listed ?? START + offset;
        const expected = allDue(trigger, START + 40_000).find((time) => time > after);
        assertEquals(compileTrigger(trigger, compileCron)(after), expected);
      },
    ),
  );
});

Deno.test("compileTrigger() stays on the grid of a fractional interval for years", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 1_000, noNaN: true }),
      fc.integer({ min: 0, max: 10 ** 11 }),
      (everyMs, passed) => {
        const after = START + passed;
        const next = compileTrigger({ type: "interval", everyMs, startMs: START }, compileCron)(
          after,
        )!;
        assert(next > after);
        assert(next - after <= everyMs + 0.001);
        const n = (next - START) / everyMs;
        assert(Math.abs(n - Math.round(n)) * everyMs < 0.001);
      },
    ),
  );
});

Deno.test("dueBy() agrees with a list of all due times", () => {
  fc.assert(
    fc.property(
      fc.oneof(interval, atTime),
      fc.nat(30),
      fc.nat(20_000),
      fc.nat(20_000),
      (trigger, dealtWith, wait, catchUpMs) => {
        const first = allDue(trigger, START + 200_000).at(dealtWith);
        if (first === undefined) return;
        const now = first + wait;
        const due = allDue(trigger, now).filter((time) => time >= first);
        const young = due.filter((time) => time >= now - Math.max(catchUpMs, 1_000));
        const run = trigger.type === "atTime" ? young : young.slice(-1);
        assertEquals(
          dueBy(trigger, compileTrigger(trigger, compileCron), first, now, catchUpMs),
          { run, skipped: due.length - run.length },
        );
      },
    ),
  );
});

Deno.test("dueBy() deals with every due time exactly once, however often it is asked", () => {
  fc.assert(
    fc.property(
      fc.oneof(interval, atTime),
      fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 1, maxLength: 12 }),
      fc.nat(3_000),
      (trigger, waits, catchUpMs) => {
        const next = compileTrigger(trigger, compileCron);
        let now = START;
        let nextMs = next(now);
        let dealtWith = 0;
        for (const wait of waits) {
          now += wait;
          if (nextMs === undefined || nextMs > now) continue;
          const { run, skipped } = dueBy(trigger, next, nextMs, now, catchUpMs);
          dealtWith += run.length + skipped;
          nextMs = next(now);
        }
        assertEquals(dealtWith, allDue(trigger, now).length);
      },
    ),
  );
});

interface Minute {
  readonly at: number;
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  /** Whether the clock has shown the same before. */
  readonly repeated: boolean;
}

/** What a clock on a wall in Berlin shows, minute by minute. */
function wallClock(from: string, days: number): Minute[] {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: "Europe/Berlin",
    hourCycle: "h23",
    ...{ month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" },
  });
  const seen = new Set<string>();
  return Array.from({ length: days * 1440 }, (_, i) => {
    const at = Date.parse(from) + i * MINUTE;
    const parts = Object.fromEntries(
      format.formatToParts(at).map(({ type, value }) => [type, Number(value)]),
    );
    const { minute = 0, hour = 0, day = 0, month = 0 } = parts;
    const shown = [month, day, hour, minute].join();
    const repeated = seen.has(shown);
    seen.add(shown);
    return { at, minute, hour, day, month, repeated };
  });
}

const CLOCKS = {
  spring: wallClock("2026-03-27T00:00Z", 5),
  autumn: wallClock("2026-10-23T00:00Z", 5),
};

/** A field as text, and the values that it stands for; `undefined` for all. */
interface Field {
  readonly text: string;
  readonly values: ReadonlySet<number> | undefined;
}

const every: Field = { text: "*", values: undefined };

function listed(min: number, max: number): fc.Arbitrary<Field> {
  return fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 5 })
    .map((values) => ({ text: values.join(), values: new Set(values) }));
}

function stepped(size: number): fc.Arbitrary<Field> {
  return fc.integer({ min: 2, max: size - 1 }).map((step) => ({
    text: `*/${step}`,
    values: new Set(Array.from({ length: size }, (_, i) => i).filter((i) => i % step === 0)),
  }));
}

function ranged(min: number, max: number): fc.Arbitrary<Field> {
  return fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => {
    const [low, high] = [Math.min(a, b), Math.max(a, b)];
    return {
      text: `${low}-${high}`,
      values: new Set(Array.from({ length: high - low + 1 }, (_, i) => low + i)),
    };
  });
}

const expression = fc.record({
  minute: fc.oneof(fc.constant(every), listed(0, 59), stepped(60), ranged(0, 59)),
  hour: fc.oneof(fc.constant(every), listed(0, 4), listed(0, 23), stepped(24), ranged(0, 5)),
  day: fc.oneof(fc.constant(every), listed(25, 31)),
});

Deno.test("a cron trigger agrees with reading the clock minute by minute", () => {
  fc.assert(
    fc.property(
      expression,
      fc.constantFrom<keyof typeof CLOCKS>("spring", "autumn"),
      fc.nat(4 * 1440),
      ({ minute, hour, day }, season, start) => {
        const clock = CLOCKS[season];
        const fits = (field: Field, value: number) => field.values?.has(value) ?? true;
        const expected = clock.slice(start + 1).filter((shown) =>
          fits(minute, shown.minute) && fits(hour, shown.hour) && fits(day, shown.day) &&
          (!shown.repeated || hour === every)
        ).map(({ at }) => at);
        const next = compileCron(
          `${minute.text} ${hour.text} ${day.text} * *`,
          "Europe/Berlin",
        );
        let at = clock[start]!.at;
        for (const time of expected.slice(0, 150)) {
          at = next(at)!;
          assertEquals(new Date(at), new Date(time));
        }
      },
    ),
  );
});
