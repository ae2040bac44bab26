/**
 * What a process does with functions that others send it.
 *
 * @module
 */

import type { Duration } from "../internal/duration.ts";

/** Where sent functions run: in a sandbox, in the node's own isolate, or not at all. */
export type TransferMode = "sandbox" | "inline" | "deny";

/** Permissions of sent functions, in Deno's own vocabulary: all, or a list of what is allowed. */
export interface TransferPermissions {
  /** Files and directories that may be read. @default {none} */
  read?: boolean | readonly string[] | undefined;
  /** Files and directories that may be written. @default {none} */
  write?: boolean | readonly string[] | undefined;
  /** Hosts that may be connected to. @default {none} */
  net?: boolean | readonly string[] | undefined;
  /** Environment variables that may be read. @default {none} */
  env?: boolean | readonly string[] | undefined;
  /** System information that may be read. @default {none} */
  sys?: boolean | readonly string[] | undefined;
  /** Programs that may be run. @default {none} */
  run?: boolean | readonly string[] | undefined;
  /** Libraries that may be loaded. @default {none} */
  ffi?: boolean | readonly string[] | undefined;
  /** Hosts from which code may be imported; never npm packages. @default {none} */
  import?: boolean | readonly string[] | undefined;
}

/** Options for functions that others send. With `"deny"` there are none but `mode`. */
export interface TransferOptions {
  /** Where they run. @default {"sandbox", or "deny" in pages, Node.js, Bun and programs made by `deno compile`} */
  mode?: TransferMode | undefined;
  /** What they may do in the sandbox. @default {nothing} */
  permissions?: TransferPermissions | undefined;
  /**
   * How long one may run; then its sandbox is killed, and one that runs `"inline"` is waited for no longer.
   * `Infinity` is no limit. @default {"30s", or Infinity for "inline"}
   */
  timeout?: Duration | undefined;
  /** Memory that a sandbox may use, in MiB, 16 at least; then it is killed. Not for `"inline"`. @default {256} */
  memoryLimitMb?: number | undefined;
  /** How many may run at a time; others wait for their turn. Not for `"inline"`. @default {32} */
  maxConcurrent?: number | undefined;
}

/** The names of the permissions. */
export const PERMISSION_NAMES = [
  ...["read", "write", "net", "env", "sys", "run", "ffi", "import"] as const,
];

/** Options, checked and complete. */
export interface ResolvedTransferOptions {
  readonly mode: TransferMode;
  readonly permissions: TransferPermissions;
  /** `Infinity` for no limit. */
  readonly timeoutMs: number;
  readonly memoryLimitMb: number;
  readonly maxConcurrent: number;
}
