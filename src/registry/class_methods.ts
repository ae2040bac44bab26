/**
 * Which methods of a class are callbacks.
 *
 * @module
 */

import type { AnyClass, AnyFunction } from "./callback_registry.ts";

/** A method that others may call. */
export interface ClassMethod {
  readonly name: string;
  readonly method: AnyFunction;
  readonly isStatic: boolean;
}

const localMethods = new WeakSet<AnyFunction>();

/** Keeps a method out of the callbacks of its class. */
export function markLocal(method: AnyFunction): void {
  localMethods.add(method);
}

/** Tells classes from functions. */
export function isClass(value: unknown): value is AnyClass {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
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
  for (const [name, { value }] of found) {
    if (name.startsWith("_") || typeof value !== "function" || localMethods.has(value)) continue;
    if (isStatic && isClass(value)) continue; // a class kept in a static field
    methods.push({ name, method: value as AnyFunction, isStatic });
  }
  return methods;
}
