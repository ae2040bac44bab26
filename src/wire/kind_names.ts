/**
 * What the kinds of frame are called.
 *
 * @module
 */

/**
 * The names in the protocol's document, by number. Not made of `Kind`: whatever looks at all of that keeps the
 * bundler from writing the numbers where they are used.
 */
export const KIND_NAMES: ReadonlyMap<number, string> = new Map(
  [
    "- HELLO WELCOME REFUSED CHALLENGE PROOF OFFER WITHDRAW DIRECTORY LEAVE SHUTDOWN PING PONG PAUSE RESUME -",
    "CALL BROADCAST TARGETS RESULT ERROR CANCEL UNDELIVERED PART STREAM ITEM END FAIL CREDIT STOP - -",
    "TASK TASK_FAILED TRANSFER",
  ].flatMap((names, high) => names.split(" ").map((name, low) => [high * 16 + low, name] as const))
    .filter(([, name]) => name !== "-"),
);
