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
  const { setImmediate = setTimeout } = globalThis as { setImmediate?: SetImmediate };
  await new Promise<void>((resolve) => setImmediate(resolve));
  await look?.();
}
