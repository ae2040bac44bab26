/**
 * Starting the process of a sandbox.
 *
 * @module
 */

import { TransferError } from "../errors.ts";
import {
  PERMISSION_NAMES,
  type ResolvedTransferOptions,
  type TransferPermissions,
} from "./transfer_options.ts";

/**
 * Starts the process: no permissions but those that are granted, no environment, no cache in which
 * anything could be kept, and no open files but its three pipes.
 *
 * @throws {TransferError} when it cannot be started; the message tells which permission to grant.
 */
export function spawnSandbox(
  { permissions, memoryLimitMb }: ResolvedTransferOptions,
  maxFrameBytes: number,
): Deno.ChildProcess {
  let command = "deno";
  try {
    if (Deno.build.standalone) throw new Error("a compiled program has no Deno to run it with");
    command = executable();
    const main = import.meta.resolve("./sandbox_main.ts");
    const isLocal = main.startsWith("file:");
    return new Deno.Command(command, {
      args: [
        ...["run", "--quiet", "--no-prompt", "--no-config", "--no-lock", "--no-npm"],
        ...(grants(permissions.import) ? [] : [isLocal ? "--no-remote" : "--cached-only"]),
        ...permissionFlags(permissions),
        `--v8-flags=--max-old-space-size=${memoryLimitMb}`,
        main,
        ...[Deno.pid, memoryLimitMb, maxFrameBytes].map(String),
      ],
      // A program that came from a registry is in the cache, and the environment says where that is.
      clearEnv: isLocal,
      // What is imported from elsewhere has to be kept somewhere.
      env: {
        ...(isLocal && !grants(permissions.import) ? { DENO_DIR: nowhere() } : {}),
        ...grantedVariables(permissions.env),
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    throw new TransferError(
      `Cannot run functions that others send: the sandbox cannot be started: ` +
        `${(error as Error).message}; grant --allow-run=${command} to this process, or set its ` +
        'option transfer to "deny"',
      { executed: "never", cause: error },
    );
  }
}

/** Without permission to know where Deno is, the one on the path. */
function executable(): string {
  try {
    return Deno.execPath();
  } catch {
    return "deno";
  }
}

/** A cache directory that cannot be: `localStorage` and `caches` keep their data in it. */
function nowhere(): string {
  return Deno.build.os === "windows" ? "NUL" : "/dev/null";
}

function grants(permission: boolean | readonly string[] | undefined): boolean {
  return Array.isArray(permission) ? permission.length > 0 : permission === true;
}

function permissionFlags(permissions: TransferPermissions): string[] {
  const flags = PERMISSION_NAMES.filter((name) => grants(permissions[name])).map((name) => {
    const allowed = permissions[name];
    return Array.isArray(allowed) ? `--allow-${name}=${allowed.join(",")}` : `--allow-${name}`;
  });
  // Otherwise some hosts may be imported from by default.
  return grants(permissions.import) ? flags : [...flags, "--deny-import"];
}

/** The variables that functions may read must be there. */
function grantedVariables(env: TransferPermissions["env"]): Record<string, string> {
  if (env === true) return Deno.env.toObject();
  if (!Array.isArray(env)) return {};
  const given = env.map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >;
}
