/**
 * What a value is by its prototypes: an instance of a class of the user's own would arrive as one of the class that
 * it extends.
 *
 * @module
 */

/** Whether it is an instance of the class itself. */
export function isExactly<T>(value: object, Class: { readonly prototype: T }): value is T & object {
  return Object.getPrototypeOf(value) === Class.prototype;
}

/** Whether nothing but an `Array.prototype`, be it another realm's, and its `Object.prototype` is above. */
export function isPlainArray(value: readonly unknown[]): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Array.prototype || prototype === null ||
    Object.getPrototypeOf(Object.getPrototypeOf(prototype)) === null;
}

/** The name of the class that a prototype belongs to. */
export function className(prototype: object): string {
  const name = prototype.constructor?.name;
  return name ? name : "an unnamed class";
}

const PLAIN = {};

/** Whether somebody has given all objects of the program a field that can be enumerated. */
export function inheritsSomething(): boolean {
  for (const _ in PLAIN) return true;
  return false;
}
