/**
 * A real turn of the event loop.
 *
 * @module
 */

type SetImmediate = (callback: () => void) => unknown;

let look: (() => Promise<void> | undefined) | undefined;

/** Has turns followed by a look at what has come in, where they do not have one by themselves. */
export function provideLook(provided: () => Promise<void> | undefined): void {
  look = provided;
}

/** Resolves in another turn of the event loop, after what has come in was looked at, or will be soon. */
export async function nextTurn(): Promise<void> {
  await anotherTurn();
  await look?.();
}

/** Resolves in another turn of the event loop, however long ago what has come in was looked at. */
export function anotherTurn(): Promise<void> {
  const { setImmediate = setTimeout } = globalThis as { setImmediate?: SetImmediate };
  return new Promise((resolve) => setImmediate(resolve));
}
