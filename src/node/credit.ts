/**
 * What an item of a stream costs.
 *
 * @module
 */

import { STREAM_CREDIT_BYTES } from "../wire/limits.ts";

/** Credits that an item with a payload of this size costs. */
export function itemCost(payloadBytes: number): number {
  return 1 + Math.floor(payloadBytes / STREAM_CREDIT_BYTES);
}
