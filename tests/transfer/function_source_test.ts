import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { TransferError } from "../../src/errors.ts";
import { compile, MAX_SOURCE_LENGTH, sourceOf } from "../../src/transfer/function_source.ts";

// deno-lint-ignore no-explicit-any -- any function
type AnyFunction = (...args: any[]) => unknown;

/** There and back again. */
function travel(fn: AnyFunction): AnyFunction {
  return compile(sourceOf(fn));
}

/** Code that the compiler would not let pass, or would rewrite. */
// deno-lint-ignore no-explicit-any -- whatever it is
function written(code: string): any {
  return (0, eval)(`(${code}\n)`);
}

class Shapes {
  static twice(n: number): number {
    return n * 2;
  }
  #secret = 1;
  method(n: number): number {
    return n * 2;
  }
  private(): number {
    return this.#secret;
  }
}

class MoreShapes extends Shapes {
  static override twice(n: number): number {
    return super.twice(n);
  }
  override method(n: number): number {
    return super.method(n);
  }
  arrow(): AnyFunction {
    return (n: number) => super.method(n);
  }
}

const shapes = {
  method(n: number) {
    return n * 2;
  },
  async later(n: number) {
    return await Promise.resolve(n * 2);
  },
  "two words"(n: number) {
    return n * 2;
  },
  7(n: number) {
    return n * 2;
  },
  get(n: number) {
    return n * 2;
  },
  static(n: number) {
    return n * 2;
  },
  async(n: number) {
    return n * 2;
  },
  class(n: number) {
    return n * 2;
  },
  "bound to be"(n: number) {
    return n * 2;
  },
  [Symbol.iterator](n: number) {
    return n * 2;
  },
  async [Symbol.asyncIterator](n: number) {
    return await Promise.resolve(n * 2);
  },
  ["made" + "up"](n: number) {
    return n * 2;
  },
  super(n: number) {
    return n * 2;
  },
  async *nests(n: number) {
    class Twice extends Shapes {
      override method(n: number): number {
        return super.method(n);
      }
    }
    yield await Promise.resolve(new Twice().method(n));
  },
  tells(n: number) {
    const $super = { super: n }; // super, not super.tells() or super[n]
    return "super.tells(), `super`".length === 22 ? $super.super * 2 : 0;
  },
};

const ACCEPTED: Record<string, AnyFunction> = {
  "an arrow function": (n: number) => n * 2,
  "an async arrow function": async (n: number) => await Promise.resolve(n * 2),
  "an arrow function with one bare parameter": written("n => n * 2"),
  "an arrow function with a bare parameter called get": written("get => get * 2"),
  "an arrow function with a bare parameter called set": written("set  =>\n set * 2"),
  "an arrow function with a bare parameter called set and a comment": written(
    "set /* n */ => set * 2",
  ),
  "an async arrow function with a bare parameter": written("async get => await get * 2"),
  "an arrow function with a bare parameter called async": written("async => async * 2"),
  "a method called get with a comment": written("{ get/**/(n) { return n * 2; } }").get,
  "a method whose name begins with get": written("{ get$(n) { return n * 2; } }").get$,
  "a method whose name begins with get and has other letters": written(
    "{ getä(n) { return n * 2; } }",
  ).getä,
  "an arrow function that ends with a comment": written("n => n * 2 // twice"),
  "an arrow function that gives an object": (n: number) => ({ n }).n * 2,
  "a function expression": function (n: number) {
    return n * 2;
  },
  "a named function that calls itself": function sum(n: number): number {
    return n === 0 ? 0 : 2 + sum(n - 1);
  },
  "an async function": async function twice(n: number) {
    return await Promise.resolve(n * 2);
  },
  "a method shorthand": shapes.method,
  "an async method shorthand": shapes.later,
  "a method with two words as its name": shapes["two words"],
  "a method with a number as its name": shapes[7],
  "a method called get": shapes.get,
  "a method called static": shapes.static,
  "a method called async": shapes.async,
  "a method called class": shapes.class,
  "a method whose name begins like that of a bound function": shapes["bound to be"],
  "a method with a symbol as its name": shapes[Symbol.iterator],
  "an async method with a symbol as its name": shapes[Symbol.asyncIterator],
  "a method with a computed name": shapes["madeup" as "method"],
  "a method called super": shapes.super,
  "a method that only mentions super": shapes.tells,
  "a static method": Shapes.twice,
  "a method of a class": Shapes.prototype.method,
  "a function with defaults, rest and patterns": (
    n: number,
    { by = 2 } = {},
    ...rest: number[]
  ) => n * by + rest.length,
  "a function whose name was changed to a number": Object.defineProperty(
    (n: number) => n * 2,
    "name",
    { value: 5 },
  ),
};

for (const [what, fn] of Object.entries(ACCEPTED)) {
  Deno.test(`\`sourceOf()\` takes ${what}`, async () => {
    assertEquals(await travel(fn)(21), 42);
  });
}

Deno.test("`sourceOf()` takes generator functions", () => {
  assertEquals([
    ...travel(function* () {
      yield 1;
      yield 2;
    })() as Iterable<number>,
  ], [1, 2]);
});

Deno.test("`sourceOf()` takes methods with a class in them that uses super", () => {
  assertMatch(sourceOf(shapes.nests).source, /super\.method/);
});

Deno.test("`sourceOf()` takes functions unchecked where no code may be made of text", async () => {
  const module = new URL("../../src/transfer/function_source.ts", import.meta.url);
  const program =
    `import { sourceOf } from "${module}"; console.log(sourceOf((n) => n * 2).source);`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--v8-flags=--disallow-code-generation-from-strings"],
      `data:text/javascript,${encodeURIComponent(program)}`,
    ],
    stdin: "null",
    stderr: "null",
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "(n) => n * 2\n");
});

Deno.test("`sourceOf()` gives a name to a nameless function", () => {
  assertEquals(sourceOf(() => 1).name, "the function");
  assertEquals(sourceOf(function named() {}).name, "named");
});

const REFUSED: Record<string, [AnyFunction, RegExp]> = {
  "a class": [class Point {} as unknown as AnyFunction, /Point: it is a class/],
  "a nameless class": [class {} as unknown as AnyFunction, /it is a class/],
  "a class that extends another": [class A extends Shapes {} as unknown as AnyFunction, /class/],
  "a native function": [Math.max, /max: it is native.*wrap it/],
  "a native constructor": [Date as unknown as AnyFunction, /Date: it is native/],
  "a bound function": [shapes.method.bind(shapes), /bound method: it is bound.*as an argument/],
  "a function that was bound twice": [shapes.method.bind(1).bind(2), /it is bound/],
  "a proxy": [new Proxy(() => 1, {}), /native/],
  "a method with a private name in it": [Shapes.prototype.private, /private: .*its class/],
  "a method that uses super": [MoreShapes.prototype.method, /method: .*super/],
  "a static method that uses super": [MoreShapes.twice, /twice: .*super/],
  "an arrow function that uses super": [new MoreShapes().arrow(), /super/],
  "a method of an object that uses super": [
    {
      text() {
        return super.toString();
      },
    }.text,
    /text: .*super/,
  ],
  "a getter": [
    Object.getOwnPropertyDescriptor(
      {
        get four() {
          return () => 4;
        },
      },
      "four",
    )!.get!,
    /four/,
  ],
  "a setter": [
    Object.getOwnPropertyDescriptor({
      set five(n: number) {
        void n;
      },
    }, "five")!.set!,
    /five/,
  ],
  "a getter with a comment": [
    Object.getOwnPropertyDescriptor(written("{ get/**/four() { return 4; } }"), "four")!.get!,
    /four: it is a getter or setter/,
  ],
  "a getter with a computed name": [
    Object.getOwnPropertyDescriptor(written("{ get['four']() { return 4; } }"), "four")!.get!,
    /four: it is a getter or setter/,
  ],
  "a function that uses import.meta": [() => import.meta.url, /import\.meta/],
  "text": ["() => 1" as unknown as AnyFunction, /"\(\) => 1": it is not a function/],
  "nothing": [undefined as unknown as AnyFunction, /undefined: it is not a function/],
  "an object that says it is a function": [
    { toString: () => "() => 1", name: "f" } as unknown as AnyFunction,
    /it is not a function/,
  ],
};

for (const [what, [fn, message]] of Object.entries(REFUSED)) {
  Deno.test(`\`sourceOf()\` refuses ${what} and says why`, () => {
    const error = assertThrows(() => sourceOf(fn), TransferError);
    assertMatch(error.message, message);
    assertEquals(error.executed, "never");
  });
}

Deno.test("`sourceOf()` refuses a source that is too long, and tells the limit", () => {
  const longest = written(`() => "${"x".repeat(MAX_SOURCE_LENGTH - 8)}"`);
  assertEquals(sourceOf(longest).source.length, MAX_SOURCE_LENGTH);
  const longer = written(`() => "${"x".repeat(MAX_SOURCE_LENGTH - 7)}"`);
  const error = assertThrows(() => sourceOf(longer), TransferError);
  assert(error.message.includes(String(MAX_SOURCE_LENGTH)));
});

Deno.test("`sourceOf()` does not run the function, nor ask it for its text", () => {
  const fn = Object.assign(() => {
    throw new Error("it ran");
  }, { toString: () => "() => 666" });
  assertMatch(sourceOf(fn).source, /it ran/);
});

Deno.test("`compile()` gives a function that sees globals, and nothing of where it is compiled", () => {
  assertEquals(travel(written("() => typeof globalThis"))(), "object");
  for (const name of ["source", "label", "compile", "TransferError"]) {
    assertEquals(travel(written(`() => typeof ${name}`))(), "undefined", name);
  }
});

Deno.test("`compile()` gives a function in strict mode", () => {
  assertEquals(travel(written("function () { return this; }"))(), undefined);
});

for (
  const code of [
    ...["() => this", "async () => this", "() => (() => this)()", "() => eval('this')"],
    ...["function () { return this; }", "async function () { return this; }"],
    "(that = this) => that",
  ]
) {
  Deno.test(`\`compile()\` leaves \`this\` undefined in ${code}`, async () => {
    assertEquals(await travel(written(code))(), undefined);
  });
}

Deno.test("`compile()` gives an arrow function nobody's arguments", () => {
  const error = assertThrows(() => travel(written("() => arguments.length"))(1, 2));
  assertMatch(String(error), /ReferenceError: arguments is not defined/);
  assertEquals(travel(written("function () { return arguments.length; }"))(1, 2), 2);
});

for (
  const source of [
    ...["", ")", "(", "1", "{}", "() =>", "}; () => 1", "() => 1; () => 2", "return 1"],
    ...["1)\n;globalThis.leaked = 1;(", "/* ", "`", "() => 1)//", "class {", "await 1"],
  ]
) {
  Deno.test(`\`compile()\` refuses ${JSON.stringify(source)}`, () => {
    const error = assertThrows(() => compile({ source, name: "f" }), TransferError);
    assertMatch(error.message, /Cannot run f/);
    assertEquals("leaked" in globalThis, false);
  });
}

Deno.test("`compile()` keeps names with special characters out of the code", () => {
  for (const name of ["a\nthrow 1", "*/ throw 1", "\u2028throw 1", "a b", "${x}", "größe", "a`b"]) {
    assertEquals(compile({ source: "() => 1", name })(), 1);
  }
});
