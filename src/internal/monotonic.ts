/**
 * A clock that never jumps.
 *
 * @module
 */

/** As it is when this is loaded: a test that moves the time puts another one in its place, and its own timers. */
const RealDate = Date;

/** Milliseconds that never jump, whatever happens to the wall clock; where a test moves the time, by its clock. */
export function monotonicMs(): number {
  return Date === RealDate ? performance.now() : Date.now() - performance.timeOrigin;
}
