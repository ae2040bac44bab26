import { compileCron } from "../../src/scheduler/cron.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { DaffiError, InitializationError, ProtocolError } from "../../src/errors.ts";
import { asTaskRequest as readRequest } from "../../src/scheduler/task_request.ts";
import { MAX_CATCH_UP_MS, MAX_TIMES } from "../../src/scheduler/trigger.ts";
import { spec, uuid } from "./rig.ts";

const asTaskRequest = (request: unknown) => readRequest(request, compileCron);

const INTERVAL = { type: "interval", everyMs: 1000 };

function create(fields: Record<string, unknown> = {}): unknown {
  return { op: "create", spec: { ...spec(INTERVAL as never), ...fields } };
}

function assertRefused(request: unknown, what = ""): void {
  const error = assertThrows(() => asTaskRequest(request), ProtocolError);
  assert(error.message.includes(what), error.message);
}

Deno.test("asTaskRequest() takes each operation", () => {
  assertEquals(asTaskRequest({ op: "list" }), { op: "list" });
  assertEquals(asTaskRequest({ op: "describe" }), { op: "describe" });
  for (const op of ["cancel", "pause", "resume", "run"] as const) {
    assertEquals(asTaskRequest({ op, uuid: uuid(1) }), { op, uuid: uuid(1) });
  }
  assertEquals(asTaskRequest(create()), {
    op: "create",
    spec: spec({ type: "interval", everyMs: 1000, startMs: 0 }),
  });
});

Deno.test("asTaskRequest() takes each trigger", () => {
  const trigger = (given: unknown) => {
    const request = asTaskRequest(create({ trigger: given }));
    return request.op === "create" ? request.spec.trigger : undefined;
  };
  assertEquals(trigger({ type: "atTime", timesMs: [30, 9, 200, 9] }), {
    type: "atTime",
    timesMs: [9, 30, 200],
  });
  assertEquals(trigger({ type: "cron", expression: "* * * * *", timezone: "UTC" }), {
    type: "cron",
    expression: "* * * * *",
    timezone: "UTC",
  });
});

Deno.test("asTaskRequest() leaves out what it does not know", () => {
  const request = asTaskRequest(create({ owner: "root", runs: -5, nextMs: 0, __proto__: null }));
  assertEquals(request, { op: "create", spec: spec({ ...INTERVAL, startMs: 0 } as never) });
});

Deno.test("asTaskRequest() takes a uuid of any case for the same", () => {
  const upper = "ABCDEF00-0000-4000-8000-00000000000A";
  assertEquals(asTaskRequest({ op: "cancel", uuid: upper }), {
    op: "cancel",
    uuid: upper.toLowerCase(),
  });
});

Deno.test("asTaskRequest() refuses what is no request", () => {
  for (const value of [undefined, null, 1, "list", true, 1n, Symbol(), () => {}]) {
    assertRefused(value, "payload");
  }
  for (const op of [undefined, "", "destroy", "toString", "__proto__", 1, ["list"], null]) {
    assertRefused({ op }, "op");
  }
  assertRefused([], "op");
  assertRefused({ op: "create" }, "payload");
  assertRefused({ op: "create", spec: "x" }, "payload");
});

for (const op of ["cancel", "pause", "resume", "run"]) {
  Deno.test(`asTaskRequest() refuses to ${op} what has no uuid`, () => {
    for (const bad of [undefined, null, "", "x", 1, `${uuid(1)} `, `${uuid(1)}\n`, [uuid(1)]]) {
      assertRefused({ op, uuid: bad }, "uuid");
    }
  });
}

for (
  const [field, values] of Object.entries({
    uuid: [null, "", "x", 1, {}],
    callbackName: [undefined, null, 1, {}, []],
    args: [undefined, null, "", [0x90], new Uint16Array(1), new ArrayBuffer(1)],
    overlap: [undefined, "", "SKIP", "toString", 0, ["skip"]],
    maxRuns: [0, -1, 1.5, NaN, Infinity, "1", 2 ** 53, null],
    pauseAfterFailures: [0, -1, 1.5, NaN, Infinity, "1", null],
    catchUpMs: [undefined, null, -1, NaN, Infinity, MAX_CATCH_UP_MS + 1, 1e300, "1", 1n],
    trigger: [undefined, null, "x", {}, [], { type: "sometimes" }, { type: "__proto__" }],
  })
) {
  Deno.test(`asTaskRequest() refuses a task whose ${field} is not valid`, () => {
    for (const value of values) assertRefused(create({ [field]: value }));
  });
}

for (
  const [what, trigger] of [
    ["no length", { type: "interval" }],
    ["length zero", { type: "interval", everyMs: 0 }],
    ["a negative length", { type: "interval", everyMs: -1000 }],
    ["a length below a millisecond", { type: "interval", everyMs: 0.1 }],
    ["length NaN", { type: "interval", everyMs: NaN }],
    ["an endless length", { type: "interval", everyMs: Infinity }],
    ["a length beyond all dates", { type: "interval", everyMs: 1e300 }],
    ["a length as text", { type: "interval", everyMs: "1000" }],
    ["a beginning as text", { type: "interval", everyMs: 1000, startMs: "0" }],
    ["a beginning beyond all dates", { type: "interval", everyMs: 1000, startMs: -1e300 }],
    ["no times", { type: "atTime" }],
    ["an empty list of times", { type: "atTime", timesMs: [] }],
    ["times that are no list", { type: "atTime", timesMs: { length: 1, 0: 5 } }],
    ["a time NaN", { type: "atTime", timesMs: [1, NaN] }],
    ["a time beyond all dates", { type: "atTime", timesMs: [1e300] }],
    ["a time as text", { type: "atTime", timesMs: ["1"] }],
    ["too many times", { type: "atTime", timesMs: new Array(MAX_TIMES + 1).fill(1) }],
    ["no expression", { type: "cron", timezone: "UTC" }],
    ["no time zone", { type: "cron", expression: "* * * * *" }],
    ["an expression that is no text", { type: "cron", expression: ["* * * * *"], timezone: "UTC" }],
  ] as const
) {
  Deno.test(`asTaskRequest() refuses a trigger with ${what}`, () => {
    assertRefused(create({ trigger }));
  });
}

Deno.test("asTaskRequest() refuses a cron expression that cannot be read", () => {
  for (const expression of ["", "x", "* * * *", "99 * * * *", "*".repeat(100_000)]) {
    assertThrows(
      () => asTaskRequest(create({ trigger: { type: "cron", expression, timezone: "UTC" } })),
      InitializationError,
    );
  }
  assertThrows(
    () =>
      asTaskRequest(create({ trigger: { type: "cron", expression: "* * * * *", timezone: "?" } })),
    InitializationError,
  );
});

Deno.test("asTaskRequest() takes no long time over any expression", () => {
  const field = fc.string({ unit: fc.constantFrom(..."0123456789*/-,L#W?"), maxLength: 12 });
  fc.assert(
    fc.property(fc.array(field, { minLength: 5, maxLength: 6 }), (fields) => {
      const began = performance.now();
      try {
        asTaskRequest(
          create({ trigger: { type: "cron", expression: fields.join(" "), timezone: "UTC" } }),
        );
      } catch (error) {
        assert(error instanceof DaffiError, String(error));
      }
      assert(performance.now() - began < 5_000, fields.join(" "));
    }),
    { numRuns: 300 },
  );
});

Deno.test("asTaskRequest() throws nothing but DaffiError, whatever comes", () => {
  const anything = fc.anything({ withBigInt: true, withDate: true, withTypedArray: true });
  const nearly = fc.record({
    op: fc.constantFrom("create", "list", "cancel", "run"),
    uuid: fc.oneof(fc.constant(uuid(1)), anything),
    spec: fc.record({
      uuid: fc.option(anything, { nil: undefined }),
      callbackName: fc.oneof(fc.string(), anything),
      args: fc.oneof(fc.uint8Array(), anything),
      overlap: fc.oneof(fc.constant("skip"), anything),
      catchUpMs: fc.oneof(fc.nat(), anything),
      trigger: fc.oneof(
        anything,
        fc.record({
          type: fc.constantFrom("interval", "atTime", "cron"),
          everyMs: fc.oneof(fc.double(), anything),
          timesMs: fc.oneof(fc.array(fc.double()), anything),
          expression: fc.oneof(fc.string(), anything),
          timezone: fc.oneof(fc.constant("UTC"), fc.string(), anything),
        }),
      ),
    }),
  });
  fc.assert(fc.property(fc.oneof(anything, nearly), (request) => {
    try {
      asTaskRequest(request);
    } catch (error) {
      assert(error instanceof DaffiError, String(error));
    }
  }));
});
