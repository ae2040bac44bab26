/**
 * Counts the timers of the process. To be imported before everything that starts one.
 *
 * @module
 */

/** The timers that are to fire, and where each was started. */
const live = new Map<unknown, string>();
const { setTimeout: start, clearTimeout: stop, setInterval: repeat, clearInterval: end } =
  globalThis;

/** Where the timers that are to fire were started. */
export function liveTimers(): string[] {
  return [...live.values()];
}

function place(): string {
  return /\/src\/([^)]*):\d+/.exec(new Error().stack ?? "")?.[1] ?? "elsewhere";
}

Object.assign(globalThis, {
  setTimeout: (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const timer = start(() => {
      live.delete(timer);
      run(...args);
    }, ms);
    live.set(timer, place());
    return timer;
  },
  setInterval: (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const timer = repeat(() => run(...args), ms);
    live.set(timer, place());
    return timer;
  },
  clearTimeout: (timer?: number) => {
    live.delete(timer);
    stop(timer);
  },
  clearInterval: (timer?: number) => {
    live.delete(timer);
    end(timer);
  },
});
