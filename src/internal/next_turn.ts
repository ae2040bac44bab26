/**
 * A real turn of the event loop.
 *
 * @module
 */

type SetImmediate = (callback: () => void) => unknown;

/** Resolves in another turn of the event loop, after what has come in was looked at. */
export function nextTurn(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: SetImmediate };
  return new Promise((resolve) => {
    if (setImmediate === undefined) setTimeout(resolve, 0);
    else setImmediate(resolve);
  });
}
