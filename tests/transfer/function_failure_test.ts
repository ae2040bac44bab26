import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { missingVariable, ownStack } from "../../src/transfer/function_failure.ts";
import { compile, type FunctionSource, sourceOf } from "../../src/transfer/function_source.ts";

/** A function as it is written, which the compiler would not let pass or would rewrite. */
function sent(source: string, name = "f"): FunctionSource {
  return { source, name };
}

/** What the function throws, and what it is taken for. */
async function failure(source: string, ...args: unknown[]): Promise<[unknown, unknown]> {
  const fn = sent(source);
  try {
    await compile(fn)(...args);
  } catch (thrown) {
    return [thrown, missingVariable(fn, thrown)];
  }
  throw new Error(`${source} throws nothing`);
}

/** What the stack of `error` has as the places in the function, from the innermost on. */
function placesIn(error: unknown): string[] {
  return (ownStack(error) as Error).stack!.split("\n")
    .filter((line) => line.startsWith("    at "))
    .map((line) => /transferred\/.*\d/.exec(line)?.[0] ?? line);
}

for (const variable of ["outer", "$", "_a1", "größe", "名前"]) {
  Deno.test(`\`missingVariable()\` names ${variable} and says what to do`, async () => {
    const [thrown, error] = await failure(`() => ${variable} + 1`);
    assertMatch((error as Error).message, new RegExp(`f uses ${RegExp.escape(variable)}, `));
    assertMatch((error as Error).message, /pass the value as an argument/);
    const { executed, cause } = error as { executed?: string; cause?: unknown };
    assertEquals([executed, cause], ["yes", thrown]);
  });
}

Deno.test("`missingVariable()` finds words for a function without a name", () => {
  const nameless = sourceOf(new Function("return () => outer")());
  const thrown = assertThrows(compile(nameless));
  assertMatch(missingVariable(nameless, thrown)!.message, /^The function uses outer, /);
});

/** Wherever the engine says it is. */
const USES = [
  ...["outer", "outer()", "outer.x", "outer.x()", "outer[0]", "`${outer}`", "[...outer]", "-outer"],
  ...[
    "new outer()",
    "new outer.Error('a')",
    "new (outer)()",
    "outer`x`",
    "outer?.x",
    "typeof outer.x",
  ],
  ...["new Error(outer)", "new ReferenceError(outer)", "ReferenceError(outer)", "outer.Error('a')"],
  ...["new ReferenceError(`${outer}`)", "new Map([outer])", "({ outer })", "[1].map(() => outer)"],
  ...["(() => { return outer; })()", "(() => { throw outer; })()", "(() => { outer = 1; })()"],
  ...["eval('outer')", "new Function('return outer')()", "new ReferenceError('outer') + outer"],
];

for (const use of USES) {
  Deno.test(`\`missingVariable()\` knows the variable in ${use}`, async () => {
    for (const source of [`() => ${use}`, `async () => {\n await 1;\n return ${use}; }`]) {
      const [thrown, error] = await failure(source);
      assert(error !== undefined, `${source}: ${(thrown as Error).stack}`);
    }
  });
}

const MADE = [
  'new ReferenceError("outer is not defined")',
  'ReferenceError("outer is not defined")',
  'structuredClone(new ReferenceError("outer is not defined"))',
  'new (class Mine extends ReferenceError {})("outer is not defined")',
];

for (const made of MADE) {
  Deno.test(`\`missingVariable()\` leaves it to the function to throw ${made}`, async () => {
    for (
      const source of [`() => { throw ${made}; }`, `async () => {\n await 1;\n throw ${made}; }`]
    ) {
      assertEquals((await failure(source))[1], undefined, source);
    }
    const later = `() => { const error = ${made}; throw error; }`;
    assertEquals((await failure(later))[1], undefined);
  });
}

Deno.test("`missingVariable()` leaves an error alone that was made elsewhere", async () => {
  const thrown = new ReferenceError("outer is not defined");
  assertEquals((await failure("(error) => { throw error; }", thrown))[1], undefined);
});

Deno.test("`missingVariable()` leaves every other error alone", async () => {
  assertEquals((await failure("() => { a; const a = 1; }"))[1], undefined);
  for (
    const thrown of [
      new Error("a is not defined"),
      new ReferenceError("something else is not defined"),
      new TypeError("a is not a function"),
      "a is not defined",
      { name: "ReferenceError", message: "a is not defined" },
      undefined,
    ]
  ) assertEquals(missingVariable(sent("() => a"), thrown), undefined);
});

Deno.test("`ownStack()` tells lines and columns of the source", async () => {
  for (
    const [source, ...places] of [
      ["() => { throw new Error('first line'); }", "transferred/f:1:15"],
      ["function () { throw new Error(arguments.length); }", "transferred/f:1:21"],
      ["() => {\n  throw new Error('second line');\n}", "transferred/f:2:9"],
      [
        "function f() {\n  const inner = () => {\n    throw new Error();\n  };\n  inner();\n}",
        ...["transferred/f:3:11", "transferred/f:5:3"],
      ],
      [
        "() => { const inner = () => { throw new Error(); }; inner(); }",
        ...["transferred/f:1:37", "transferred/f:1:53"],
      ],
    ]
  ) {
    const [thrown] = await failure(source!);
    assertEquals(placesIn(thrown), places, source);
    assertEquals(placesIn(thrown), places, "when it is thrown again");
  }
});

Deno.test("`ownStack()` tells lines and columns of methods in shorthand as `String()` shows them", () => {
  for (
    const text of [
      "f() { throw new Error(); }",
      "f() {\n  throw new Error();\n}",
      "f() { throw new Error(arguments.length); }",
    ]
  ) {
    const { f: method } = (0, eval)(`({ ${text} })`); // as it is written: the compiler would break the lines
    const before = String(method).slice(0, String(method).indexOf("new Error")).split("\n");
    const place = `transferred/f:${before.length}:${before.at(-1)!.length + 1}`;
    const thrown = assertThrows(compile(sourceOf(method)));
    assertEquals(placesIn(thrown), [place]);
  }
});

Deno.test("`ownStack()` tells the same of causes, and nothing of who called", async () => {
  const [thrown] = await failure(
    "() => { const cause = new Error('why'); throw new Error('no', { cause }); }",
  );
  assertEquals(placesIn(thrown), ["transferred/f:1:47"]);
  assertEquals(placesIn((thrown as Error).cause), ["transferred/f:1:23"]);
});

Deno.test("`ownStack()` goes along a circle of causes, and through frozen ones", async () => {
  const [thrown] = await failure(`() => {
    const error = new Error("a");
    error.cause = Object.freeze(new Error("b", { cause: error }));
    throw error;
  }`);
  assertEquals(placesIn(thrown), ["transferred/f:2:19"]);
});

Deno.test("`ownStack()` leaves what a message says as it is", async () => {
  const [thrown] = await failure("() => { throw new Error('transferred/f:1:99'); }");
  assertMatch((ownStack(thrown) as Error).stack!, /^Error: transferred\/f:1:99\n/);
});

Deno.test("`ownStack()` leaves alone what is no error or has no stack", () => {
  const bare = Object.assign(new Error("a"), { stack: undefined });
  for (
    const thrown of ["text", undefined, { stack: "a" }, bare, new Error("not from a function")]
  ) {
    assertEquals(ownStack(thrown), thrown);
  }
});
