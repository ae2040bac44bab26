/**
 * Gives the number 1 `count` times. The item after these never comes, whoever waits for it.
 *
 * @param ended Called when nobody wants more.
 */
export function silentSource(ended: () => void, count = 1): AsyncIterableIterator<number> {
  let given = 0;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      if (given++ < count) return Promise.resolve({ done: false, value: 1 });
      return new Promise(() => {});
    },
    return() {
      ended();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}
