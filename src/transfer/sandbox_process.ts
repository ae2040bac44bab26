/**
 * Starting the process of a sandbox.
 *
 * @module
 */

import { TransferError } from "../errors.ts";
import { runOutside } from "../internal/call_scope.ts";
import {
  PERMISSION_NAMES,
  type ResolvedTransferOptions,
  type TransferPermissions,
} from "./transfer_options.ts";

/** Most processes never start a sandbox: its program is loaded when the first one is started. */
export async function loadProgram(): Promise<string> {
  try {
    // After an import Deno may start other things, tests for example, in the context of that import.
    const { SANDBOX_PROGRAM } = await runOutside(() => import("./sandbox_program.ts"));
    return SANDBOX_PROGRAM;
  } catch (error) {
    throw new TransferError(
      "Cannot run functions that others send: the program of the sandbox cannot be loaded: " +
        (error as Error).message,
      { executed: "never", cause: error },
    );
  }
}

/**
 * Starts the process: no permissions but those that are granted, nothing of the environment, no cache in which
 * anything could be kept, and no open files but its three pipes. The first thing that it reads is
 * its program, so it need not be allowed to import it from wherever this module came from.
 *
 * @param program What it runs.
 * @throws {TransferError} when it cannot be started; the message tells which permission to grant.
 */
export function spawnSandbox(
  program: string,
  { permissions, memoryLimitMb }: ResolvedTransferOptions,
  maxFrameBytes: number,
): Deno.ChildProcess {
  if (typeof Deno === "undefined" || Deno.Command === undefined || Deno.build.standalone) {
    throw cannotStart("there is no Deno to run it with");
  }
  const command = executable();
  // Asked first, and never by trying: in a terminal, Deno would stop the whole process to ask its user.
  if (!mayRun(command)) {
    const grant = `grant --allow-run=${command} to this process, or `;
    throw cannotStart(`this process may not run ${command}`, grant);
  }
  const variables = grantedVariables(permissions.env);
  try {
    const code = new TextEncoder().encode(program);
    const child = new Deno.Command(command, {
      args: [
        ...["run", "--quiet", "--no-prompt", "--no-config", "--no-lock", "--no-npm"],
        ...(grants(permissions.import) ? [] : ["--no-remote"]),
        ...permissionFlags(permissions),
        `--v8-flags=--max-old-space-size=${memoryLimitMb},--expose-gc`,
        loader(code.length),
        ...[Deno.pid, memoryLimitMb, maxFrameBytes].map(String),
      ],
      clearEnv: true,
      // What is imported from elsewhere has to be kept somewhere.
      env: {
        // Memory of large values goes back to the system at once, where it is looked at (glibc's mallopt(3)).
        MALLOC_MMAP_THRESHOLD_: "131072",
        ...(grants(permissions.import) ? {} : { DENO_DIR: nowhere() }),
        ...searchPath(permissions.run),
        ...variables,
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stdin = child.stdin.getWriter();
    stdin.write(code).catch(() => {}); // it has ended already, which its status tells
    stdin.releaseLock();
    return child;
  } catch (error) {
    throw cannotStart((error as Error).message, "", error);
  }
}

function cannotStart(why: string, grant = "", cause?: unknown): TransferError {
  return new TransferError(
    `Cannot run functions that others send: the sandbox cannot be started: ${why}; ` +
      `${grant}set its option transfer to "deny"`,
    { executed: "never", cause },
  );
}

/**
 * A module that reads the program and runs it: systems limit how long an argument may be, some to
 * less than the program has.
 */
function loader(programBytes: number): string {
  const code = `
    const program = new Uint8Array(${programBytes});
    for (let read = 0; read < program.length;) {
      const count = await Deno.stdin.read(program.subarray(read));
      if (count === null) Deno.exit(0); // its parent is gone
      read += count;
    }
    await import(URL.createObjectURL(new Blob([program], { type: "text/javascript" })));`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

/**
 * This Deno; or the one on the path, if only that may be run. They are not the same file for
 * `--allow-run` where the path has a link to it, as npm makes one.
 */
function executable(): string {
  const path = Deno.execPath();
  return !mayRun(path) && mayRun("deno") ? "deno" : path;
}

function mayRun(command: string): boolean {
  return Deno.permissions.querySync({ name: "run", command }).state === "granted";
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

/**
 * The variables that functions may read must be there.
 *
 * @throws {TransferError} when this process may not read one of them itself.
 */
function grantedVariables(env: TransferPermissions["env"]): Record<string, string> {
  if (env === true) {
    if (!mayRead()) {
      const grant = "grant --allow-env to this process, or ";
      throw cannotStart("this process may not read the variables that functions may read", grant);
    }
    return Deno.env.toObject();
  }
  const variables: Record<string, string> = {};
  for (const name of Array.isArray(env) ? env.flatMap(namesOf) : []) {
    if (!mayRead(name)) {
      const grant = `grant --allow-env=${name} to this process, or `;
      const why = `this process may not read the variable ${name}, which functions may read`;
      throw cannotStart(why, grant);
    }
    const value = Deno.env.get(name);
    if (value !== undefined) variables[name] = value;
  }
  return variables;
}

/** The variables that a name with a `*` at its end stands for; it stays as it is where they cannot be told. */
function namesOf(name: string): string[] {
  if (!name.endsWith("*") || !mayRead()) return [name];
  return Object.keys(Deno.env.toObject()).filter((each) => each.startsWith(name.slice(0, -1)));
}

/**
 * Where programs are found by their names. Functions may not read it, unless `env` says so.
 *
 * @throws {TransferError} when it is needed, and this process may not read it itself.
 */
function searchPath(run: TransferPermissions["run"]): Record<string, string> {
  if (!grants(run)) return {};
  if (mayRead("PATH")) return { PATH: Deno.env.get("PATH") ?? "" };
  if (!Array.isArray(run) || run.every((name) => name.includes("/"))) return {};
  const grant = "grant --allow-env=PATH to this process, or ";
  throw cannotStart("this process may not read PATH, by which programs are found", grant);
}

/** Whether this process may read a variable, or all of them, without asking its user. */
function mayRead(variable?: string): boolean {
  const wanted = { name: "env", ...(variable === undefined ? {} : { variable }) } as const;
  return Deno.permissions.querySync(wanted).state === "granted";
}
