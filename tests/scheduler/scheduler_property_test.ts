import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Overlap, TaskRecord } from "../../src/scheduler/task.ts";
import type { Trigger } from "../../src/scheduler/trigger.ts";
import { Model, type ModelOptions } from "./model.ts";
import { Rig, spec, START, uuid } from "./rig.ts";

const SECOND = 1000;

type Step =
  | { readonly type: "time"; readonly op: "pass" | "jump"; readonly ms: number }
  | {
    readonly type: "task";
    readonly op: "pause" | "resume" | "run" | "cancel";
    readonly task: number;
  };

// Times are whole seconds and runs take some seconds and 37 ms, so that no run ends when another
// one is due: which of the two comes first is nobody's promise.
const seconds = (max: number) => fc.integer({ min: 1, max }).map((s) => s * SECOND);

const trigger: fc.Arbitrary<Trigger> = fc.oneof(
  seconds(30).map((everyMs): Trigger => ({ type: "interval", everyMs, startMs: START })),
  fc.uniqueArray(seconds(120), { minLength: 1, maxLength: 8 }).map((offsets): Trigger => ({
    type: "atTime",
    timesMs: offsets.sort((a, b) => a - b).map((offset) => START + offset),
  })),
);

const task: fc.Arbitrary<ModelOptions> = fc.record({
  trigger,
  overlap: fc.constantFrom<Overlap>("skip", "queue", "allow"),
  maxRuns: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  catchUpMs: fc.constantFrom(0, 500, 2_500, 60_000, 3_600_000),
  durations: fc.array(fc.integer({ min: 0, max: 40 }).map((s) => s * SECOND + 37), {
    minLength: 1,
    maxLength: 4,
  }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: seconds(60).map((ms): Step => ({ type: "time", op: "pass", ms: ms + 500 })),
  },
  { weight: 2, arbitrary: seconds(600).map((ms): Step => ({ type: "time", op: "jump", ms })) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("task" as const),
      op: fc.constantFrom("pause" as const, "resume" as const, "run" as const),
      task: fc.nat(3),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("task" as const),
      op: fc.constant("cancel" as const),
      task: fc.nat(3),
    }),
  },
);

/** What is to be seen of a task. */
interface Seen {
  readonly ranAt: readonly number[];
  /** Of a task that is listed. */
  readonly skipped: number | undefined;
}

async function playScheduler(tasks: readonly ModelOptions[], steps: readonly Step[]) {
  using rig = new Rig();
  rig.onRun = (run, { uuid: name, runs }) => {
    const { durations } = tasks[Number(name.slice(-12))]!;
    setTimeout(run.end, durations[(runs - 1) % durations.length]);
  };
  tasks.forEach(({ trigger, overlap, maxRuns, catchUpMs }, n) =>
    rig.scheduler.create(
      spec(trigger, { uuid: uuid(n), overlap, maxRuns, catchUpMs }),
      "owner",
    )
  );
  for (const step of steps) {
    if (step.type === "time" && step.op === "pass") await rig.pass(step.ms);
    else if (step.type === "time") {
      rig.setClock(step.ms);
      rig.scheduler.callbacksChanged(); // looks at the clock, which it would do at its next alarm
      await rig.pass(0);
    } else {
      rig.scheduler[step.op](uuid(step.task));
      await rig.pass(0);
    }
  }
  return tasks.map((_, n): Seen => ({
    ranAt: rig.runs.filter((run) => run.uuid === uuid(n)).map(({ at }) => at),
    skipped: rig.info(uuid(n))?.skipped,
  }));
}

function playModel(tasks: readonly ModelOptions[], steps: readonly Step[]): Seen[] {
  return tasks.map((options, n) => {
    const model = new Model(options, START);
    for (const step of steps) {
      if (step.type === "time") model[step.op](step.ms);
      else if (step.task === n) model[step.op]();
    }
    return {
      ranAt: model.ranAt.map((at) => at - START),
      skipped: model.listed ? model.skipped : undefined,
    };
  });
}

Deno.test("Scheduler does what a plain model does, whatever happens to tasks and clock", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(task, { minLength: 1, maxLength: 4 }),
      fc.array(step, { maxLength: 15 }),
      async (tasks, steps) => {
        assertEquals(await playScheduler(tasks, steps), playModel(tasks, steps));
      },
    ),
    { numRuns: 300 },
  );
});

/** How long the process lives, each time until it is killed. */
const lives = fc.array(seconds(40), { minLength: 1, maxLength: 6 });

Deno.test("Scheduler keeps in its store what it would tell, whenever it is killed", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(task, { minLength: 1, maxLength: 3 }),
      lives,
      async (tasks, lives) => {
        using rig = new Rig();
        rig.onRun = () => {}; // a run never ends in the life in which it began
        tasks.forEach(({ trigger, maxRuns }, n) =>
          rig.scheduler.create(spec(trigger, { uuid: uuid(n), maxRuns }), "owner")
        );
        for (const life of lives) {
          await rig.pass(life);
          rig.restart();
        }
        tasks.forEach(({ trigger, maxRuns = Infinity }, n) => {
          const ranAt = rig.runs.filter((run) => run.uuid === uuid(n)).map(({ at }) => at + START);
          const runs = ranAt.length;
          assertEquals(runs <= maxRuns, true, `${runs} runs of ${maxRuns}`);
          assertEquals(runs, rig.info(uuid(n))?.runs ?? runs);
          if (trigger.type !== "atTime") return;
          assertEquals(new Set(ranAt).size, runs, "a time ran twice");
          assertEquals(ranAt.every((at) => trigger.timesMs.includes(at)), true);
        });
      },
    ),
  );
});

Deno.test("Scheduler runs or skips each listed time once, however often it is killed meanwhile", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(task, { minLength: 1, maxLength: 3 }),
      lives,
      async (tasks, lives) => {
        using rig = new Rig();
        const records = new Map<string, TaskRecord>();
        rig.onRun = (run, record) => {
          records.set(run.uuid, record);
          const { durations } = tasks[Number(run.uuid.slice(-12))]!;
          const life = rig.scheduler; // what runs when it is killed never ends
          const end = () => life === rig.scheduler && run.end();
          setTimeout(end, durations[(record.runs - 1) % durations.length]);
        };
        tasks.forEach(({ trigger, overlap }, n) =>
          rig.scheduler.create(spec(trigger, { uuid: uuid(n), overlap }), "owner")
        );
        for (const life of lives) {
          await rig.pass(life);
          rig.restart();
        }
        await rig.pass(600 * SECOND);
        tasks.forEach(({ trigger }, n) => {
          if (trigger.type !== "atTime") return;
          const { runs, skipped } = records.get(uuid(n))!;
          assertEquals(runs + skipped, trigger.timesMs.length);
          assertEquals(rig.runs.filter((run) => run.uuid === uuid(n)).length, runs);
          assertEquals(rig.info(uuid(n)), undefined);
        });
      },
    ),
  );
});
