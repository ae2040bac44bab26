/**
 * Bytes that once did what they must not, as a run of `deno task fuzz` has printed them. They are
 * tried again with every run of the tests. Add what you find.
 */
export interface FoundCase {
  /** What went wrong. */
  readonly what: string;
  /** A name of `DECODERS`, or of `ATTACKS`. */
  readonly target: string;
  readonly hex: string;
}

/** The cases, the oldest first. */
export const FOUND_CASES: readonly FoundCase[] = [
  {
    what: "a TASK whose payload was no list failed with a TypeError",
    target: "attackNode()",
    hex: "0000003e2001ffff0000000000000001000000000000000083a474797065a56f66666572a2696401a963" +
      "616c6c6261636b73929203a574687265659201a477616974",
  },
  {
    what: "a process that joined in another's number left a ghost behind, who was there for ever",
    target: "attackNode()",
    hex: "0000003e080000000000000000000000000000000000000082a474797065a46a6f696ea770726f636573" +
      "739307a5736576656e929203a574687265659201a3616464000000300800000000000000000000000000" +
      "00ff0000000082a474797065a46a6f696ea770726f636573739307a5656967687490",
  },
];
