/**
 * The callbacks of a process.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { show } from "../internal/show.ts";
import { MAX_CALLBACKS_PER_NODE } from "../wire/limits.ts";
import {
  classMethods,
  isClass,
  type KnownClass,
  makesInstance,
  markWrapped,
  ownName,
  rawClass,
  withOneInstance,
} from "./class_methods.ts";
import {
  type AnyClass,
  type AnyFunction,
  asOptions,
  type CallbackOptions,
  makeEntry,
  type RegisteredCallback,
} from "./registered_callback.ts";

/** Names that came or went, or, if there are none, a class that has its instance from now on. */
export interface RegistryChange {
  /** Whether they came. */
  readonly offered: boolean;
  /** The names. */
  readonly names: readonly string[];
}

/**
 * Registers callbacks; see {@linkcode callback}.
 *
 * @throws {InitializationError} when it has no name, its name cannot be one or is another callback's, an
 * option is not valid, there are too many callbacks, or a class has no public method or a name of its own
 * in the options. So does, later, a second `new` of the class.
 */
export interface CallbackFunction {
  /** Registers a function under its own name, or under `options.name`. Returns the function. */
  <F extends AnyFunction>(fn: F, options?: CallbackOptions): F;
  /** Registers a function under a given name. Returns the function. */
  <F extends AnyFunction>(name: string, fn: F, options?: CallbackOptions): F;
  /**
   * Registers the public methods of a class; also as a decorator. Use the class it returns.
   *
   * A decorated class with instance methods makes its instance and reaches its private static members by `this`, as
   * in `new this()`, not by its own name, for that stays the name of the class as it was before: an instance of that
   * does not count.
   */
  <C extends AnyClass>(type: C, context?: ClassDecoratorContext<C> | CallbackOptions): C;
  /**
   * Withdraws a callback; the network learns of it at once. Calls that run go on.
   *
   * @returns Whether there was one of this name.
   * @throws {InitializationError} when it is not given by its name.
   */
  remove(name: string): boolean;
}

/**
 * A set of callbacks of its own, for several nodes in one process.
 *
 * @example Two nodes that offer different things
 * ```ts
 * import { CallbackRegistry, Global } from "@daffi/core";
 *
 * const callbacks = new CallbackRegistry();
 * callbacks.callback(function greet(name: string) {
 *   return `Hello, ${name}!`;
 * });
 * await using controller = new Global({ processName: "a", initController: true, host: "localhost" });
 * await controller.ready;
 * await using other = new Global({ processName: "b", host: "localhost", port: controller.port!, callbacks });
 * await controller.waitFunction("greet");
 * console.log(await controller.call.greet("you")); // Hello, you!
 * ```
 */
export class CallbackRegistry {
  /** Registers and withdraws callbacks of this registry, in the same forms as `callback`. */
  readonly callback: CallbackFunction;
  #callbacks = new Map<string, RegisteredCallback>();
  /** What came of each class, so that registering it again keeps its instance. */
  #classes = new WeakMap<AnyClass, KnownClass>();
  #listeners = new Set<(change: RegistryChange) => void>();

  /** Makes an empty registry. */
  constructor() {
    const register = (first: unknown, second?: unknown, third?: unknown): unknown => {
      let what = first;
      let options = second;
      if (typeof first === "string") {
        const given = asOptions(third);
        const { name = first } = given;
        if (name !== first) {
          throw new InitializationError(
            `Cannot register ${first}: the options give it another name, ${show(name)}`,
          );
        }
        what = second;
        options = { ...given, name };
      }
      if (isClass(what)) return this.#class(rawClass(what), options);
      return this.#function(what, options);
    };
    this.callback = Object.assign(register as CallbackFunction, {
      remove: (name: string) => this.#remove(name),
    });
  }

  /** The callback of this name. */
  get(name: string): RegisteredCallback | undefined {
    return this.#callbacks.get(name);
  }

  /** The names of all callbacks. */
  names(): string[] {
    return [...this.#callbacks.keys()];
  }

  /**
   * Calls `listener` on every change until the returned function is called. What it throws, whoever made the change
   * gets, once all have heard of it.
   */
  subscribe(listener: (change: RegistryChange) => void): () => void {
    if (typeof listener !== "function") {
      throw new InitializationError(`Cannot subscribe: ${show(listener)} is not a function`);
    }
    const own = (change: RegistryChange) => listener(change); // for it may be given twice
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  #function(fn: unknown, given: unknown): unknown {
    if (typeof fn !== "function") {
      throw new InitializationError(
        `Cannot register a callback: ${show(fn)} is not a function or a class`,
      );
    }
    const options = asOptions(given);
    const name = options.name ?? fn.name.replace(/^(bound )+/, "");
    if (name === "") {
      throw new InitializationError(
        'Cannot register a callback: the function has no name; give one by callback("name", fn) ' +
          "or write it as a named function",
      );
    }
    this.#add([makeEntry(name, fn as AnyFunction, options)]);
    return fn;
  }

  #class(type: AnyClass, second: unknown): unknown {
    const decorates = isDecoratorContext(second);
    const options = decorates ? {} : asOptions(second);
    const className = ownName(type);
    if (options.name !== undefined) {
      throw new InitializationError(
        `Cannot register class ${className} as ${options.name}: its methods keep their own names; ` +
          `register it by callback(${className})`,
      );
    }
    const methods = classMethods(type);
    const known = this.#classes.get(type) ??
      (methods.every(({ isStatic }) => isStatic)
        ? { registered: type, instance: undefined }
        : withOneInstance(type, () => this.#tell({ offered: true, names: [] })));
    // Private static members belong to what a decorator gives, otherwise to the class itself.
    const statics = (method: AnyFunction) =>
      decorates || makesInstance(method) ? known.registered : type;
    const entries = methods.map(({ name, method, isStatic }): RegisteredCallback => ({
      ...makeEntry(name, method, options),
      type,
      invoke: (args) => method.apply(isStatic ? statics(method) : known.instance, args),
      problem: () =>
        isStatic || known.instance !== undefined ? undefined : new InitializationError(
          `Cannot call ${name}: ${className} has no instance yet. Call new ${className}(…) on the class that ` +
            "callback returned (inside the class: new this(…))",
          { executed: "never" },
        ),
    }));
    if (entries.length === 0) {
      throw new InitializationError(
        `Cannot register class ${className}: it has no public method; those that begin with _ or # ` +
          "or are marked @local are not offered",
      );
    }
    this.#add(entries);
    this.#classes.set(type, known);
    markWrapped(known.registered, type);
    Reflect.set(type.prototype, "constructor", known.registered); // an instance knows the class that it is of
    return known.registered;
  }

  #add(entries: readonly RegisteredCallback[]): void {
    const names = new Set<string>();
    for (const entry of entries) {
      if (names.has(entry.name)) {
        throw new InitializationError(
          `Cannot register ${entry.name}: the class has a static and an instance method of this name`,
        );
      }
      names.add(entry.name);
      const present = this.#callbacks.get(entry.name);
      if (present !== undefined && (present.fn !== entry.fn || present.type !== entry.type)) {
        throw new InitializationError(
          `Cannot register ${entry.name}: another callback has this name; give it another one or ` +
            `withdraw the first by callback.remove("${entry.name}")`,
        );
      }
    }
    const added = [...names].filter((name) => !this.#callbacks.has(name));
    if (this.#callbacks.size + added.length > MAX_CALLBACKS_PER_NODE) {
      throw new InitializationError(
        `Cannot register ${added[0]}: a process may offer ${MAX_CALLBACKS_PER_NODE} callbacks`,
      );
    }
    for (const entry of entries) {
      const present = this.#callbacks.get(entry.name);
      // Whoever waits for a turn waits for that of the entry, which therefore stays if as many may run as before.
      if (present?.concurrency === entry.concurrency) Object.assign(present, entry);
      else this.#callbacks.set(entry.name, entry);
    }
    if (added.length > 0) this.#tell({ offered: true, names: added });
  }

  #remove(name: string): boolean {
    if (typeof name !== "string") {
      throw new InitializationError(
        `Cannot remove ${show(name)}: the name of a callback is needed`,
      );
    }
    if (!this.#callbacks.delete(name)) return false;
    this.#tell({ offered: false, names: [name] });
    return true;
  }

  #tell(change: RegistryChange): void {
    const thrown: unknown[] = [];
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) { // the others, nodes among them, hear of it nevertheless
        thrown.push(error);
      }
    }
    if (thrown.length > 0) throw thrown[0];
  }
}

function isDecoratorContext(value: unknown): boolean {
  return typeof value === "object" && (value as { kind?: unknown } | null)?.kind === "class";
}
