import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import { ValidationError } from "../../mod.ts";
import {
  hasOneParameter,
  isStandardSchema,
  type StandardSchema,
  validateArguments,
  validateResult,
} from "../../src/registry/standard_schema.ts";

async function issuesOf(
  schema: StandardSchema,
  args: unknown[],
  takesOne = args.length === 1,
): Promise<ValidationError> {
  const validating = async () => await validateArguments(schema, args, "f", takesOne);
  return await assertRejects(validating, ValidationError);
}

Deno.test("validateArguments() takes a schema of the list of arguments", async () => {
  const schema = z.tuple([z.number(), z.string()]);
  assertEquals(await validateArguments(schema, [1, "a"], "f", false), [1, "a"]);
  const error = await issuesOf(schema, [1, 2]);
  assertEquals(error.issues.map(({ path }) => path), [[1]]);
  assertEquals([error.code, error.executed], ["VALIDATION", "never"]);
  assert(error.message.includes("arguments of f"), error.message);
});

Deno.test("validateArguments() takes a schema of the one argument", async () => {
  const schema = z.object({ name: z.string(), tags: z.array(z.string()) });
  const value = { name: "a", tags: ["b"] };
  assertEquals(await validateArguments(schema, [value], "f", true), [value]);
  const error = await issuesOf(schema, [{ name: 5, tags: ["b", 6] }]);
  assertEquals(error.issues.map(({ path }) => path), [["name"], ["tags", 1]]);
});

Deno.test("validateArguments() lets nothing through to one parameter by putting it into a list", async () => {
  const numbers = z.array(z.number());
  assertEquals(await validateArguments(numbers, [[1, 2]], "f", true), [[1, 2]]);
  assertEquals(await validateArguments(numbers, [[]], "f", true), [[]]);
  for (const args of [[5], [1, 2], [], [[1], [2]], [["a"]]]) await issuesOf(numbers, args, true);
  const tooMany = (await issuesOf(numbers, [1, 2], true)).issues.map(({ message }) => message);
  assertEquals(tooMany, ["one argument is needed, and no more"]);
  const pair = z.tuple([z.number(), z.number()]);
  assertEquals(await validateArguments(pair, [[1, 2]], "f", true), [[1, 2]]);
  for (const args of [[1, 2], [1], [[1]]]) await issuesOf(pair, args, true);
  const nested = z.array(z.array(z.number()));
  assertEquals(await validateArguments(nested, [[[1]]], "f", true), [[[1]]]);
  await issuesOf(nested, [[1]], true);
  await issuesOf(z.array(z.unknown()), [5], true);
});

Deno.test("validateArguments() takes a list of exactly one for one parameter", async () => {
  const strict = z.tuple([z.coerce.number().min(1)]);
  assertEquals(await validateArguments(strict, ["5"], "f", true), [5]);
  const error = await issuesOf(strict, [0], true);
  assertEquals(error.issues.map(({ path }) => path), [[0]]);
  // One that leaves out what is too much, as valibot's does.
  const loose: StandardSchema = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) =>
        Array.isArray(value) && typeof value[0] === "number"
          ? { value: value.slice(0, 1) }
          : { issues: [{ message: "no list with a number" }] },
    },
  };
  assertEquals(await validateArguments(loose, [5], "f", true), [5]);
});

Deno.test("validateArguments() takes a schema of lists for parameters that cannot be counted", async () => {
  assertEquals(await validateArguments(z.array(z.number()), [1, 2], "f", false), [1, 2]);
  assertEquals(await validateArguments(z.array(z.number()), [], "f", false), []);
});

Deno.test("validateArguments() takes a list without the one argument, if that may be left out", async () => {
  assertEquals(await validateArguments(z.tuple([z.number().optional()]), [], "f", true), []);
  await issuesOf(z.array(z.number()), [], true);
  assertEquals(await validateArguments(z.unknown(), [[1]], "f", true), [[1]]);
});

Deno.test("hasOneParameter() counts those with a default, and the rest", () => {
  const one = [
    (a: unknown) => a,
    async (a: unknown) => await (() => a)(),
    function f(a: unknown) {
      return [a, (b = 1) => b];
    },
    ({ a = 1, ...b }: { a?: number }) => [a, b],
    ([a = (() => 1)(), ...b]: unknown[]) => [a, b],
    {
      async *m(a: unknown) {
        yield a;
      },
    }.m,
    class {
      static m(a: unknown) {
        return a;
      }
    }.m,
    Math.abs,
    function g(_: unknown) {}.bind(null),
  ];
  for (const fn of one) assertEquals(hasOneParameter(fn as () => void), true, String(fn));
  const several = [
    () => 1,
    (a = 1) => a,
    (...a: unknown[]) => a,
    (a: unknown, b: unknown) => [a, b],
    (a: unknown, b = 1) => [a, b],
    (a: unknown, ...b: unknown[]) => [a, b],
    ({ a }: { a: number }, b = { c: 1 }) => [a, b],
    function f(_: unknown) {
      return arguments.length;
    },
  ];
  for (const fn of several) assertEquals(hasOneParameter(fn as () => void), false, String(fn));
});

Deno.test("hasOneParameter() reads functions as JavaScript has them", () => {
  const one = [
    "x => f(y => y)",
    "x => ({ y: x = 1 })",
    "async x => await f((a, b = 1) => a)",
    "async/* (a, b = 1) */x => f((a, b = 1) => a)",
    "$ü => f(...$ü)",
    "x => { f(')', (y = 1) => y) }",
    "(x /* = 1, ...y */) => x",
    "(x // = 1\n) => x",
    'function f({ a = ")", b = "}" }) {}',
    "function f({ a = '{' }) {}",
    "function /* (a, b = 1) */ f(x) {}",
    "function f(x) { throw new Error('bad arguments') }",
    "function f(x) { /* arguments */ } // arguments",
    "function f(x) { return `https://${x}` }",
  ];
  for (const source of one) assertEquals(hasOneParameter(read(source)), true, source);
  const several = [
    "(x, y = (z => z)(1)) => x",
    "async (x, y = z => z) => x",
    "async(x, ...y) => x",
    "function f(x, y = ')') {}",
    "function f({ a = ')' }, y = 1) {}",
    "function f(x /* ) */, y = 1) {}",
    "function /* (x) */ f(x, y = 1) {}",
    "function f(x) { return `https://` + arguments.length }",
    "function f(x) { return 'a' + arguments[1] + 'b' }",
  ];
  for (const source of several) assertEquals(hasOneParameter(read(source)), false, source);
  const methods = read(
    '{ "a(b, c = 1"(x) {}, [(x => `m`)(1)](x) {}, async *n(x) {}, o(x, y = 1) {} }',
  );
  const found = Object.values(methods).map((method) => hasOneParameter(method as () => void));
  assertEquals(found, [true, true, true, false]);
});

/** A function as it is written, for the runner of the tests prints TypeScript anew. */
function read(source: string): () => void {
  return new Function(`return (${source}\n);`)();
}

Deno.test("validateArguments() tells what is wrong where it is", async () => {
  const paths = async (schema: StandardSchema, args: unknown[], takesOne: boolean) =>
    (await issuesOf(schema, args, takesOne)).issues.map(({ path }) => path);
  assertEquals(await paths(z.array(z.string()), [["a", 5]], true), [[1]]);
  assertEquals(await paths(z.array(z.string()), [5], true), [[]]);
  assertEquals(await paths(z.tuple([z.number(), z.number()]), [1, "a"], false), [[1]]);
  assertEquals(await paths(z.object({ a: z.string() }), [{ a: 5 }], false), [["a"]]);
  const few = await issuesOf(z.tuple([z.number(), z.number()]), [1], false);
  assert(!few.message.includes("received number"), few.message);
});

Deno.test("validateArguments() applies defaults and conversions", async () => {
  const list = z.tuple([z.coerce.number(), z.string().default("none")]);
  assertEquals(await validateArguments(list, ["5", undefined], "f", false), [5, "none"]);
  const one = z.object({ limit: z.number().default(10), at: z.coerce.date() });
  assertEquals(
    await validateArguments(one, [{ at: "2026-01-01T00:00:00Z" }], "f", true),
    [{ limit: 10, at: new Date("2026-01-01T00:00:00Z") }],
  );
  assertEquals(await validateArguments(z.string().trim(), [" a "], "f", true), ["a"]);
});

Deno.test("validateArguments() applies the default of the one argument when it is left out", async () => {
  assertEquals(await validateArguments(z.number().default(5), [], "f", true), [5]);
});

Deno.test("validateArguments() refuses too few and too many arguments", async () => {
  const schema = z.tuple([z.number(), z.number()]);
  await issuesOf(schema, [1]);
  await issuesOf(schema, [1, 2, 3]);
  await issuesOf(z.number(), [1, 2]);
});

Deno.test("validateArguments() waits for a schema that is asynchronous", async () => {
  const free = z.string().refine((name) => Promise.resolve(name !== "taken"), "is taken");
  assertEquals(await validateArguments(free, ["new"], "f", true), ["new"]);
  const error = await issuesOf(free, ["taken"]);
  assertEquals(error.issues, [{ message: "is taken", path: [] }]);
});

Deno.test("validateArguments() tells the first few issues in its message", async () => {
  const error = await issuesOf(z.object({ a: z.string() }), [{ a: 5 }]);
  assert(error.message.includes(`a: ${error.issues[0]!.message}`), error.message);
});

Deno.test("validateArguments() makes paths of any kind into plain keys", async () => {
  const path = [{ key: "user" }, 0, Symbol("tag"), { key: 3 }];
  const schema: StandardSchema = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: () => ({ issues: [{ message: "wrong", path }, { message: "no path" }] }),
    },
  };
  const { issues } = await issuesOf(schema, [1, 2]);
  assertEquals(issues, [
    { message: "wrong", path: ["user", 0, "Symbol(tag)", 3] },
    { message: "no path", path: [] },
  ]);
});

Deno.test("validateResult() gives the result as the schema does, or tells that it ran", async () => {
  assertEquals(await validateResult(z.coerce.number(), "5", "f"), 5);
  const error = await assertRejects(
    () => validateResult(z.object({ a: z.number() }), { a: "x" }, "the result of f"),
    ValidationError,
    "result of f",
  );
  assertEquals([error.executed, error.issues[0]!.path], ["yes", ["a"]]);
});

Deno.test("isStandardSchema() tells schemas from anything else", () => {
  const asFunction = Object.assign(() => {}, { "~standard": z.string()["~standard"] });
  assert(isStandardSchema(asFunction)); // as those of ArkType are
  assert(isStandardSchema(z.number()));
  for (const value of [null, undefined, 5, {}, () => 1, { "~standard": { validate: 1 } }]) {
    assert(!isStandardSchema(value));
  }
});

for (
  const [what, schema, list] of [
    ["without repetitions", z.array(z.string()).refine((all) => new Set(all).size === all.length), [
      "a",
      "b",
    ]],
    ["of odd length", z.array(z.string()).refine((all) => all.length % 2 === 1), ["a"]],
    ["that is made shorter", z.array(z.string()).transform((all) => [...new Set(all)]), ["a", "b"]],
    ["with something instead", z.array(z.string()).catch([]), ["a", "b"]],
  ] as const
) {
  Deno.test(`validateArguments() takes a schema of a list ${what} for that of the one argument`, async () => {
    assertEquals(await validateArguments(schema, [list], "f", true), [list]);
    if (what === "with something instead") return; // it takes anything
    await issuesOf(schema, ["174"], true);
  });
}

Deno.test("validateArguments() answers at once if its schema does", async () => {
  const [now, later] = [z.array(z.number()), z.array(z.number()).refine(async () => await true)];
  assertEquals(validateArguments(now, [[1, 2]], "f", true), [[1, 2]]);
  const promise = validateArguments(later, [[1, 2]], "f", true);
  assert(promise instanceof Promise);
  assertEquals(await promise, [[1, 2]]);
  assertThrows(() => validateArguments(now, ["a"], "f", true), ValidationError);
});
