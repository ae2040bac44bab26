/**
 * Many that wait for one signal.
 *
 * @module
 */

interface Group {
  readonly listeners: Set<() => void>;
  readonly tell: () => void;
}

const groups = new WeakMap<AbortSignal, Group>();

/**
 * Calls `listener` when the signal aborts. The signal has one listener for all of them: the runtime looks through those
 * that it has for each that is added, which takes seconds when thousands of calls share a signal.
 *
 * @returns Stops listening.
 */
export function whenAborted(signal: AbortSignal, listener: () => void): () => void {
  const { listeners, tell } = groups.get(signal) ?? newGroup(signal);
  listeners.add(listener);
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    groups.delete(signal);
    signal.removeEventListener("abort", tell);
  };
}

function newGroup(signal: AbortSignal): Group {
  const listeners = new Set<() => void>();
  const group = { listeners, tell: () => listeners.forEach((listener) => listener()) };
  groups.set(signal, group);
  signal.addEventListener("abort", group.tell);
  return group;
}
