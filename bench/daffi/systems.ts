/**
 * `@daffi/core` as systems of the bench.
 *
 * @module
 */

import type { ProgramSpec, System } from "../system.ts";

/** A program of this bench, run by Deno. */
export function denoProgram(
  role: ProgramSpec["role"],
  file: URL,
  argument: Record<string, unknown> = {},
): ProgramSpec {
  const flags = ["-A", "--no-prompt", "--v8-flags=--expose-gc"];
  return { role, command: [Deno.execPath(), "run", ...flags, file.href], argument };
}

/** Makes a program by the name of its file. */
type MakeProgram = (
  role: ProgramSpec["role"],
  name: string,
  argument?: Record<string, unknown>,
) => ProgramSpec;

/** Makes the programs of the folder of a module, by their names. */
export function programsBeside(module: string): MakeProgram {
  return (role, name, argument) => denoProgram(role, new URL(`./${name}.ts`, module), argument);
}

const program = programsBeside(import.meta.url);

/** Names of the systems here. */
export const DAFFI = { separate: "daffi", within: "daffi, controller in the caller's process" };

/** One callee. */
export function daffiSystems(transport: System["transport"]): System[] {
  return [
    {
      name: DAFFI.separate,
      floor: "relay",
      transport,
      programs: [
        program("controller", "controller"),
        program("callee", "callee"),
        program("caller", "caller"),
      ],
    },
    {
      name: DAFFI.within,
      floor: "direct",
      transport,
      programs: [
        program("caller", "caller", { withController: true }),
        program("callee", "callee"),
      ],
    },
  ];
}

const CROWD_PER_PROCESS = 10;

/** Fifty nodes to call at once, ten in a process. */
export function daffiCrowds(transport: System["transport"]): System[] {
  const crowd = Array.from({ length: 50 / CROWD_PER_PROCESS }, (_, i) => {
    const argument = { first: i * CROWD_PER_PROCESS, nodes: CROWD_PER_PROCESS };
    return program("callee", "crowd", argument);
  });
  return [
    {
      name: DAFFI.separate,
      floor: "relay",
      transport,
      programs: [program("controller", "controller"), ...crowd, program("caller", "caller")],
    },
    {
      name: DAFFI.within,
      floor: "direct",
      transport,
      programs: [program("caller", "caller", { withController: true }), ...crowd],
    },
  ];
}

/** Processes over which {@linkcode daffiThousand} spreads its nodes. */
export const MEMBER_PROCESSES = 4;

/** A controller alone, and the members that come to it. */
export function daffiThousand(transport: System["transport"], nodes: number): System {
  const each = nodes / MEMBER_PROCESSES;
  const members = Array.from(
    { length: MEMBER_PROCESSES },
    (_, i) => program(i === 0 ? "caller" : "callee", "member", { first: i * each, each, nodes }),
  );
  return {
    name: DAFFI.separate,
    floor: "relay",
    transport,
    programs: [program("controller", "controller"), ...members],
  };
}
