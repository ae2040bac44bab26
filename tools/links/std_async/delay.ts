// Types by hand for the plain JavaScript of the standard library on npm: see ../README.md.
import { delay as delayImpl } from "npm:deno-std@1.4.0/async/delay.js";

/** Options for {@linkcode delay}. */
export interface DelayOptions {
  /** Signal used to abort the delay. */
  signal?: AbortSignal;
  /** Whether the process stays alive for the timer. */
  persistent?: boolean;
}

/** Resolves after `ms` milliseconds. */
export const delay: (ms: number, options?: DelayOptions) => Promise<void> = delayImpl;
