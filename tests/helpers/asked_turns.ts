/** How many turns of the event loop are asked for by something that runs, and by what it leaves behind. */
export async function askedTurns(run: () => Promise<unknown>): Promise<number> {
  const real = globalThis as unknown as { setImmediate: (callback: () => void) => unknown };
  const { setImmediate } = real;
  let turns = 0;
  real.setImmediate = (callback) => (turns++, setImmediate(callback));
  try {
    await run();
    // What is asked for one after the other, and goes on when this is done, is a few turns.
    for (let turn = 0; turn < 64; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  } finally {
    real.setImmediate = setImmediate;
  }
  return turns;
}
