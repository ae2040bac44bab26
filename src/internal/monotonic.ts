/**
 * A clock that never jumps.
 *
 * @module
 */

/** As they are when this is loaded: a test that moves the time puts others in their place. */
const { Date: RealDate, setTimeout: realSetTimeout } = globalThis;

/** Milliseconds that never jump, whatever happens to the wall clock; where a test moves the time, by its clock. */
export function monotonicMs(): number {
  const isReal = Date === RealDate || setTimeout === realSetTimeout;
  return isReal ? performance.now() : Date.now() - performance.timeOrigin;
}
