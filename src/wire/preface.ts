/**
 * The first bytes of every connection (`docs/protocol.md`, section 2).
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";

/** The version of the protocol. */
export const VERSION = 1;

/** What both sides send first. */
export const PREFACE: Uint8Array = Uint8Array.of(
  ...new TextEncoder().encode("DAFFI\0"),
  VERSION >>> 8,
  VERSION & 0xff,
);

/** Size of the preface. */
export const PREFACE_BYTES: number = PREFACE.length;

/**
 * Checks the beginning, or all, of a preface.
 *
 * @throws {ProtocolError} when it is something else, or of another version.
 */
export function checkPreface(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length && i < PREFACE_BYTES; i++) {
    if (bytes[i] === PREFACE[i]) continue;
    throw new ProtocolError(
      i < 6
        ? "The other side does not speak the daffi protocol"
        : `The other side does not speak version ${VERSION} of the protocol`,
    );
  }
}
