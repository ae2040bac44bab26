/**
 * Counts the timers of the process. To be imported before everything that starts one.
 *
 * @module
 */

const live = new Set<unknown>();
const { setTimeout: start, clearTimeout: stop, setInterval: repeat, clearInterval: end } =
  globalThis;

/** How many timers are to fire. */
export function liveTimers(): number {
  return live.size;
}

Object.assign(globalThis, {
  setTimeout: (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const timer = start(() => {
      live.delete(timer);
      run(...args);
    }, ms);
    live.add(timer);
    return timer;
  },
  setInterval: (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const timer = repeat(() => run(...args), ms);
    live.add(timer);
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
