/**
 * What a node sees of what runs the functions that others send.
 *
 * @module
 */

import type { DaffiError } from "../errors.ts";
import type { FunctionSource } from "./function_source.ts";

/** What became of a function that was sent. */
export type TransferOutcome =
  /** It gave this, encoded: the node itself does not look at what a sandbox writes. */
  | { readonly payload: Uint8Array }
  /** It failed with this, encoded as well. */
  | { readonly failure: Uint8Array }
  /** It threw this. */
  | { readonly thrown: unknown }
  /** It was not run, or not to the end. */
  | { readonly refused: DaffiError };

/** What a node needs to run functions that others send. */
export interface FunctionRunner {
  /** Runs one, with its encoded arguments, for whoever has sent it. */
  run(
    fn: FunctionSource,
    args: Uint8Array,
    sender: string,
    signal: AbortSignal,
  ): Promise<TransferOutcome>;
  /** A sender is gone. */
  leave(sender: string): void;
  /** Ends all of it. */
  stop(): Promise<void>;
}
