/**
 * The floors as systems of the bench.
 *
 * @module
 */

import { programsBeside } from "../daffi/systems.ts";
import type { System } from "../system.ts";

/** Names of the floors. */
export const FLOORS = {
  direct: "direct floor",
  relay: "relay floor",
  results: "relay floor with results",
};

const program = programsBeside(import.meta.url);

/** The one with a relay. */
export function relayFloor(transport: System["transport"]): System {
  return floorSystems(transport).find(({ name }) => name === FLOORS.relay)!;
}

/**
 * The same with a promise for each message, and with memory of its own for each that is large, as whoever
 * awaits calls and keeps what they give must have; of which what was freed is kept for the next one.
 */
export function resultsFloor(transport: System["transport"]): System {
  return { ...relayFloorWith(transport, { results: true }), name: FLOORS.results };
}

/** The one with a relay through which so many connections lead, as calls between as many nodes take any of theirs. */
export function relayFloorOfMany(transport: System["transport"], connections: number): System {
  return relayFloorWith(transport, { connections });
}

function relayFloorWith(transport: System["transport"], forCaller: object): System {
  const { programs, ...relay } = relayFloor(transport);
  const asked = programs.map((spec) =>
    spec.role === "caller" ? { ...spec, argument: { ...spec.argument, ...forCaller } } : spec
  );
  return { ...relay, programs: asked };
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
