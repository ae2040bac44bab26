/**
 * Modules that come with the runtime: Deno, Node.js and Bun have them, browsers do not.
 *
 * @module
 */

/** Whoever takes `Deno` away before, to see how it is without, is left with a `process` that throws. */
const isDeprived = !("Deno" in globalThis) && /^Deno/.test(globalThis.navigator?.userAgent);

/**
 * Gives a module of the runtime. Not by an import: that would fail where there is no such module.
 *
 * @typeParam M What is in it, as `typeof import("node:net")`.
 * @param name For example `node:net`.
 */
export function builtinModule<M>(name: string): M | undefined {
  if (isDeprived) return undefined;
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => M | undefined };
  };
  return process?.getBuiltinModule?.(name);
}
