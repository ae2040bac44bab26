/**
 * What the kinds of frame are called.
 *
 * @module
 */

import { Kind } from "./frame.ts";

/** The names in the protocol's document, by number. */
export const KIND_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Kind).map(([name, kind]) => [
    kind,
    name.replace(/(?<=[a-z])(?=[A-Z])/, "_").toUpperCase(),
  ]),
);

/** A kind's name as in the protocol's document, for messages. */
export function kindName(kind: number): string {
  return KIND_NAMES.get(kind) ?? `0x${kind.toString(16)}`;
}
