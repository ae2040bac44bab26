/** After so long without progress something is taken to have stopped. */
const STALLED_MS = 400;

/** Whether a promise does not settle; waits a fixed time, for nothing tells of what never comes. */
export async function stalls(promise: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), STALLED_MS);
  });
  return await Promise.race([promise.then(() => false), late]).finally(() => clearTimeout(timer));
}
