/**
 * The floors as systems of the bench.
 *
 * @module
 */

import { denoProgram } from "../daffi/systems.ts";
import type { ProgramSpec, System } from "../system.ts";

/** Names of the floors. */
export const FLOORS = { direct: "direct floor", relay: "relay floor" };

function program(
  role: ProgramSpec["role"],
  name: string,
  argument?: Record<string, unknown>,
): ProgramSpec {
  return denoProgram(role, new URL(`./${name}.ts`, import.meta.url), argument);
}

/** Caller ↔ callee, and caller ↔ relay ↔ callee. */
export function floorSystems(transport: System["transport"]): System[] {
  const callee = program("callee", "callee");
  return [
    {
      name: FLOORS.direct,
      floor: "direct",
      transport,
      programs: [callee, program("caller", "caller", { through: "callee" })],
    },
    {
      name: FLOORS.relay,
      floor: "relay",
      transport,
      programs: [
        callee,
        program("controller", "relay"),
        program("caller", "caller", { through: "relay" }),
      ],
    },
  ];
}
