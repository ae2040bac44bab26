import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { CallbackRegistry, InitializationError, local } from "../../mod.ts";

function invoke(registry: CallbackRegistry, name: string, ...args: unknown[]): unknown {
  const entry = registry.get(name)!;
  const problem = entry.problem();
  if (problem !== undefined) throw problem;
  return entry.invoke(args);
}

Deno.test("callback() of a class offers static methods at once, with the class as this", () => {
  const registry = new CallbackRegistry();
  class Group {
    static #secret = 3;
    static triple(x: number): number {
      return x * this.#secret;
    }
  }
  registry.callback(Group);
  assertEquals(invoke(registry, "triple", 5), 15);
});

Deno.test("callback() of a class offers instance methods once there is an instance", () => {
  const registry = new CallbackRegistry();
  const Counter = registry.callback(
    class Counter {
      #count: number;
      constructor(start: number) {
        this.#count = start;
      }
      increase(by: number): number {
        return this.#count += by;
      }
    },
  );
  const error = assertThrows(() => invoke(registry, "increase", 1), InitializationError);
  assert(error.message.includes("new Counter("), error.message);
  assertEquals(error.executed, "never");
  const counter = new Counter(10);
  assertEquals(invoke(registry, "increase", 1), 11);
  assertEquals(counter.increase(1), 12);
  assert(counter instanceof Counter);
});

Deno.test("callback() of a class refuses a second instance", () => {
  const registry = new CallbackRegistry();
  const Group = registry.callback(
    class Group {
      who(): Group {
        return this;
      }
    },
  );
  const first = new Group();
  assertThrows(() => new Group(), InitializationError, "second Group");
  assertStrictEquals(invoke(registry, "who"), first);
});

Deno.test("callback() of a class whose name() is a method does not take it for its name", () => {
  const registry = new CallbackRegistry();
  const Group = registry.callback(
    class Group {
      static name(): string {
        return "n";
      }
      who(): void {}
    },
  );
  assertThrows(() => invoke(registry, "who"), InitializationError, "Call new Class(…)");
  new Group();
  assertThrows(() => new Group(), InitializationError, "Cannot create a second Class: ");
});

Deno.test("callback() of a class counts no instance whose constructor threw", () => {
  const registry = new CallbackRegistry();
  const Group = registry.callback(
    class Group {
      constructor(ok: boolean) {
        if (!ok) throw new Error("not yet");
      }
      f(): string {
        return "works";
      }
    },
  );
  assertThrows(() => new Group(false), Error, "not yet");
  new Group(true);
  assertEquals(invoke(registry, "f"), "works");
});

Deno.test("callback() of a class leaves out what is private, marked, an accessor or a field", () => {
  const registry = new CallbackRegistry();
  class Group {
    static count = 1;
    field = 1;
    arrow = () => 1;
    open(): number {
      return this.#hidden() + this._private() + this.alsoPrivate();
    }
    _private(): number {
      return 1;
    }
    #hidden(): number {
      return 1;
    }
    @local
    alsoPrivate(): number {
      return 1;
    }
    @local
    static alsoPrivateStatic(): void {}
    static _staticPrivate(): void {}
    static staticOpen(): void {}
    get accessor(): () => number {
      return () => 1;
    }
    static get staticAccessor(): () => number {
      return () => 1;
    }
    [Symbol.iterator](): Iterator<number> {
      return [][Symbol.iterator]();
    }
  }
  registry.callback(Group);
  assertEquals(registry.names().sort(), ["open", "staticOpen"]);
});

Deno.test("callback() of a class leaves out functions in static fields", () => {
  const registry = new CallbackRegistry();
  class Group {
    static helper = () => 1;
    static inner = class {
      f(): void {}
    };
    f(): void {}
  }
  registry.callback(Group);
  assertEquals(registry.names(), ["f"]);
});

Deno.test("callback() of a class does not call accessors", () => {
  const registry = new CallbackRegistry();
  class Group {
    static get danger(): never {
      throw new Error("was called");
    }
    get danger(): never {
      throw new Error("was called");
    }
    f(): void {}
  }
  registry.callback(Group);
  assertEquals(registry.names(), ["f"]);
});

Deno.test("callback() of a class offers inherited methods, overridden ones in their last form", () => {
  const registry = new CallbackRegistry();
  class Base {
    kept(): string {
      return "base";
    }
    overridden(): string {
      return "base";
    }
    static inherited(): string {
      return `static of ${this.name}`;
    }
  }
  const Derived = registry.callback(
    class Derived extends Base {
      override overridden(): string {
        return `derived, ${super.overridden()}`;
      }
    },
  );
  new Derived();
  assertEquals(registry.names().sort(), ["inherited", "kept", "overridden"]);
  assertEquals(invoke(registry, "kept"), "base");
  assertEquals(invoke(registry, "overridden"), "derived, base");
  assertEquals(invoke(registry, "inherited"), "static of Derived");
});

Deno.test("callback() of a class hides an inherited method that is overridden as local", () => {
  const registry = new CallbackRegistry();
  class Base {
    f(): void {}
    g(): void {}
  }
  class Derived extends Base {
    @local
    override f(): void {}
  }
  registry.callback(Derived);
  assertEquals(registry.names(), ["g"]);
});

Deno.test("callback() lets a subclass of a registered class be made as often as one likes", () => {
  const registry = new CallbackRegistry();
  const Base = registry.callback(
    class Base {
      f(): string {
        return "base";
      }
    },
  );
  class Derived extends Base {
    override f(): string {
      return "derived";
    }
  }
  assertEquals([new Derived().f(), new Derived().f()], ["derived", "derived"]);
  assertThrows(
    () => invoke(registry, "f"),
    InitializationError,
    "the class that callback returned",
  );
  new Base();
  assertEquals(invoke(registry, "f"), "base");
});

Deno.test("callback() works as a decorator of a class", () => {
  const registry = new CallbackRegistry();
  const { callback } = registry;
  @callback
  class Group {
    #name = "group";
    method1(): string {
      return this.#name;
    }
    static method3(): string {
      return "static";
    }
  }
  assertEquals(registry.names().sort(), ["method1", "method3"]);
  assertEquals(invoke(registry, "method3"), "static");
  const group = new Group();
  assertEquals([invoke(registry, "method1"), group.method1()], ["group", "group"]);
  assertThrows(() => new Group(), InitializationError);
});

Deno.test("callback() leaves a class of static methods as it is, private members included", () => {
  const registry = new CallbackRegistry();
  const { callback } = registry;
  @callback
  class Counter {
    static #count = 0;
    static next(): number {
      return ++this.#count;
    }
    static peek(): number {
      return Counter.#count;
    }
  }
  assertEquals([Counter.next(), Counter.peek()], [1, 1]);
  assertEquals([invoke(registry, "next"), invoke(registry, "peek")], [2, 2]);
});

Deno.test("callback() of a class with instance methods keeps private static members", () => {
  const registry = new CallbackRegistry();
  const { callback } = registry;
  class Plain {
    static #count = 0;
    static nextPlain(): number {
      return ++this.#count + Plain.#count - this.#count;
    }
    instancePlain(): void {}
  }
  callback(Plain);
  assertEquals(invoke(registry, "nextPlain"), 1);
  @callback
  class Decorated {
    static #count = 0;
    static next(): number {
      return ++this.#count;
    }
    static make(): Decorated {
      return new this();
    }
    instance(): string {
      return "here";
    }
  }
  assertEquals([Decorated.next(), invoke(registry, "next")], [1, 2]);
  const made = invoke(registry, "make") as Decorated;
  assertEquals(invoke(registry, "instance"), "here");
  assertStrictEquals(made.constructor, Decorated);
});

Deno.test("callback() of a class calls its other static methods on the class itself, as they are called here", () => {
  const registry = new CallbackRegistry();
  const counts = new WeakMap<object, number>();
  class Lowered { // as compilers write private static members for older runtimes
    static next(): number {
      if (!counts.has(this)) throw new TypeError("private");
      counts.set(this, counts.get(this)! + 1);
      return counts.get(this)!;
    }
    static isItself(): boolean {
      return this === Lowered;
    }
    method(): void {}
  }
  counts.set(Lowered, 0);
  registry.callback(Lowered);
  assertEquals([invoke(registry, "next"), invoke(registry, "isItself")], [1, true]);
});

Deno.test("callback() of a class takes the instance that a static method makes by new this()", () => {
  const registry = new CallbackRegistry();
  const Group = registry.callback(
    class Group {
      static make(): Group {
        return new this();
      }
      method(): string {
        return "here";
      }
    },
  );
  const made = invoke(registry, "make");
  assertEquals(invoke(registry, "method"), "here");
  assertStrictEquals((made as object).constructor, Group);
  assertThrows(() => invoke(registry, "make"), InitializationError, "second");
});

Deno.test("callback() of a class tells how to make the instance that counts", () => {
  const registry = new CallbackRegistry();
  const { callback } = registry;
  @callback
  class Group {
    static get(name: "outer" | "inner"): string {
      return name === "inner" ? new this().f() : new Group().f();
    }
    f(): string {
      return "f";
    }
  }
  assertEquals(invoke(registry, "get", "outer"), "f");
  const { message } = assertThrows(() => invoke(registry, "f"), InitializationError);
  const told = ["new Group(…) on the class that callback returned", "new this(…)"];
  for (const what of told) assert(message.includes(what), message);
  assertEquals(invoke(registry, "get", "inner"), "f");
  assertEquals(invoke(registry, "f"), "f");
  assertThrows(() => new Group(), InitializationError, "second Group");
});

Deno.test("callback() refuses a class that inherits a method which another class offers", () => {
  const registry = new CallbackRegistry();
  const Base = registry.callback(
    class Base {
      speak(): string {
        return "base";
      }
    },
  );
  new Base();
  class Derived extends Base {}
  assertThrows(() => registry.callback(Derived), InitializationError, "Cannot register speak");
  assertEquals(invoke(registry, "speak"), "base");
});

Deno.test("callback() of a class again keeps its instance and takes the new options", () => {
  const registry = new CallbackRegistry();
  class Group {
    f(): string {
      return "f";
    }
  }
  const first = registry.callback(Group);
  new first();
  assertStrictEquals(registry.callback(Group, { concurrency: 3 }), first);
  assertEquals(invoke(registry, "f"), "f");
  assertEquals(registry.get("f")!.concurrency, 3);
});

Deno.test("callback() gives the options of a class to each of its methods", () => {
  const registry = new CallbackRegistry();
  class Group {
    a(): void {}
    b(): void {}
  }
  registry.callback(Group, { concurrency: 2, timeout: "1s" });
  for (const name of ["a", "b"]) {
    const { concurrency, timeoutMs } = registry.get(name)!;
    assertEquals([concurrency, timeoutMs], [2, 1000]);
  }
});

Deno.test("callback() refuses a class without public methods, and a name for a class", () => {
  const { callback } = new CallbackRegistry();
  assertThrows(() => callback(class Empty {}), InitializationError, "no public method");
  class Hidden {
    _f(): void {}
  }
  assertThrows(() => callback(Hidden), InitializationError, "no public method");
  class Group {
    f(): void {}
  }
  assertThrows(() => callback(Group, { name: "g" }), InitializationError, "own names");
});

Deno.test("callback() refuses a class under a name, and says how it is registered", () => {
  const registry = new CallbackRegistry();
  class Group {
    f(): void {}
  }
  const untyped = registry.callback as unknown as (name: string, type: unknown) => unknown;
  for (const type of [Group, new CallbackRegistry().callback(Group)]) {
    const { message } = assertThrows(() => untyped("Klass", type), InitializationError);
    assert(message.includes("class Group as Klass"), message);
    assert(message.includes("callback(Group)"), message);
  }
  assertThrows(() => untyped("Klass", class {}), InitializationError, "callback(");
  assertEquals(registry.names(), []);
});

Deno.test("callback() leaves a class that it refuses as it was", () => {
  const registry = new CallbackRegistry();
  registry.callback("f", () => 1);
  class Group {
    f(): void {}
  }
  assertThrows(() => registry.callback(Group), InitializationError, "Cannot register f");
  assertStrictEquals(new Group().constructor, Group);
  registry.callback.remove("f");
  const Registered = registry.callback(Group);
  assertStrictEquals(new Registered().constructor, Registered);
});

Deno.test("callback() refuses a class of which one method's name is taken, and adds none", () => {
  const registry = new CallbackRegistry();
  registry.callback("b", () => 1);
  class Group {
    a(): void {}
    b(): void {}
  }
  assertThrows(() => registry.callback(Group), InitializationError, "Cannot register b");
  assertEquals(registry.names(), ["b"]);
});

Deno.test("callback() refuses a class with a static and an instance method of one name", () => {
  const registry = new CallbackRegistry();
  class Group {
    f(): string {
      return "instance";
    }
    static f(): string {
      return "static";
    }
  }
  assertThrows(() => registry.callback(Group), InitializationError, "f");
  assertEquals(registry.names(), []);
});

Deno.test("callback() keeps the instance when a class is registered again", () => {
  const registry = new CallbackRegistry();
  const original = class Group {
    f(): string {
      return "works";
    }
  };
  const Group = registry.callback(original);
  new Group();
  registry.callback(original);
  assertEquals(invoke(registry, "f"), "works");
});

Deno.test("callback() takes the class that it returned as the same class", () => {
  const registry = new CallbackRegistry();
  const Group = registry.callback(
    class Group {
      f(): string {
        return "works";
      }
    },
  );
  new Group();
  registry.callback(Group);
  assertEquals(registry.names(), ["f"]);
  assertEquals(invoke(registry, "f"), "works");
});

Deno.test("callback() leaves static members of the class usable", () => {
  const registry = new CallbackRegistry();
  const Group = registry.callback(
    class Group {
      static #made = 0;
      constructor() {
        Group.#made++;
      }
      static made(): number {
        return Group.#made;
      }
    },
  );
  new Group();
  assertEquals([Group.made(), Group.name, invoke(registry, "made")], [1, "Group", 1]);
});

Deno.test("callback() of a method that is called class takes it for a function", () => {
  const registry = new CallbackRegistry();
  const methods = {
    class(n: number): number {
      return n + 1;
    },
  };
  registry.callback(methods.class);
  assertEquals(invoke(registry, "class", 1), 2);
});
