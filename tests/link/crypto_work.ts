/**
 * Cryptography that is still at work when a connection is cut off.
 *
 * @module
 */

const atWork = new Set<Promise<unknown>>();

for (const name of ["digest", "sign", "importKey"] as const) {
  const original = crypto.subtle[name].bind(crypto.subtle) as (
    ...args: unknown[]
  ) => Promise<never>;
  Object.defineProperty(crypto.subtle, name, {
    value: (...args: unknown[]) => {
      const work = original(...args);
      atWork.add(work);
      const over = () => void atWork.delete(work);
      work.then(over, over);
      return work;
    },
  });
}

/** Waits until no cryptography is at work any more: Deno wants a test to leave nothing running. */
async function cryptoIsIdle(): Promise<void> {
  while (atWork.size > 0) {
    await Promise.allSettled(atWork);
    await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
  }
}

/** `Deno.test` that waits for it at its end. */
export function cryptoTest(name: string, run: () => void | Promise<void>): void {
  Deno.test(name, async () => {
    try {
      await run();
    } finally {
      await cryptoIsIdle();
    }
  });
}
