/** How many turns of the event loop are asked for while something runs. */
export async function askedTurns(run: () => Promise<unknown>): Promise<number> {
  const real = globalThis as unknown as { setImmediate: (callback: () => void) => unknown };
  const { setImmediate } = real;
  let turns = 0;
  real.setImmediate = (callback) => (turns++, setImmediate(callback));
  try {
    await run();
  } finally {
    real.setImmediate = setImmediate;
  }
  return turns;
}
