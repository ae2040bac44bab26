/**
 * Classes whose methods are callbacks: which methods, and of which instance.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import type { AnyClass, AnyFunction } from "./registered_callback.ts";

/** A method that others may call. */
export interface ClassMethod {
  readonly name: string;
  readonly method: AnyFunction;
  readonly isStatic: boolean;
}

const localMethods = new WeakSet<AnyFunction>();

/** The classes behind the proxies that registering them gave. */
const wrapped = new WeakMap<object, AnyClass>();

/** Remembers that `wrapper` stands for `type`. */
export function markWrapped(wrapper: AnyClass, type: AnyClass): void {
  wrapped.set(wrapper, type);
}

/** The class itself, also if what registering it gave is given. */
export function rawClass(type: AnyClass): AnyClass {
  return wrapped.get(type) ?? type;
}

/** A class whose methods are callbacks. */
export interface KnownClass {
  /** The class to be used instead, which makes one instance only. */
  readonly registered: AnyClass;
  /** The one that it has made, if it has. */
  instance: object | undefined;
}

/**
 * Makes the class that is to be used instead of one.
 *
 * @param type The class.
 * @param onInstance Called when it has made its instance.
 */
export function withOneInstance(type: AnyClass, onInstance: () => void): KnownClass {
  const registered: AnyClass = new Proxy(type, {
    construct: (target, args, newTarget) => {
      // A subclass is a class of its own, with as many instances as it likes.
      if (newTarget !== registered) return Reflect.construct(target, args, newTarget);
      if (known.instance !== undefined) {
        throw new InitializationError(
          `Cannot create a second ${ownName(type)}: ` +
            "the methods of a registered class answer for one instance",
        );
      }
      known.instance = Reflect.construct(target, args, newTarget) as object;
      onInstance();
      return known.instance;
    },
  });
  const known: KnownClass = { registered, instance: undefined };
  return known;
}

/** Its name for messages: it may have none, or a static method in the place of that. */
export function ownName({ name }: AnyClass): string {
  return typeof name === "string" && name !== "" ? name : "Class";
}

/** Keeps a method out of the callbacks of its class. */
export function markLocal(method: AnyFunction): void {
  localMethods.add(method);
}

/** Tells classes from functions. */
export function isClass(value: unknown): value is AnyClass {
  if (typeof value !== "function") return false;
  return wrapped.has(value) || /^class\b(?!\s*\()/.test(Function.prototype.toString.call(value));
}

/** Whether a static method, as it is written, makes an instance of the class that it is called on. */
export function makesInstance(method: AnyFunction): boolean {
  return /\bnew\s+this\b/.test(Function.prototype.toString.call(method));
}

/**
 * The public methods, inherited ones included: no leading `_`, not `#`, not marked local, no
 * accessors. A method of a subclass stands for the one that it overrides.
 */
export function classMethods(type: AnyClass): ClassMethod[] {
  return [
    ...methodsOf(type.prototype, Object.prototype, false),
    ...methodsOf(type, Function.prototype, true),
  ];
}

function methodsOf(owner: object, end: object, isStatic: boolean): ClassMethod[] {
  const found = new Map<string, PropertyDescriptor>();
  for (let at: object | null = owner; at !== null && at !== end; at = Object.getPrototypeOf(at)) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (!found.has(name)) found.set(name, descriptor);
    }
  }
  found.delete(isStatic ? "prototype" : "constructor");
  const methods: ClassMethod[] = [];
  for (const [name, { value, enumerable }] of found) {
    // Methods are not enumerable; a function in a field is, and is not a method.
    if (enumerable || name.startsWith("_")) continue;
    if (typeof value !== "function" || localMethods.has(value)) continue;
    methods.push({ name, method: value as AnyFunction, isStatic });
  }
  return methods;
}
