/**
 * The peers as systems of the bench: each in every runtime and with every setting that is the
 * fastest at something.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { ProgramSpec, System } from "../system.ts";
import type { PeerMeeting } from "./peer.ts";

/** One way to run a system. */
export interface Variant extends System {
  /** The system that it is a way to run. */
  readonly family: string;
}

type Runtime = "Node.js" | "Deno";

const COMMANDS: Record<Runtime, readonly string[]> = {
  "Node.js": [pathOf("node_modules/.bin/node"), "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON"],
  "Deno": [Deno.execPath(), "run", "-A", "--no-config", "--node-modules-dir=manual"],
};

interface Way {
  readonly family: string;
  readonly peer: string;
  readonly runtime: Runtime;
  /** Whether `nats-server` is between caller and callee. */
  readonly broker?: true;
  /** The setting that makes it different from others of its family. */
  readonly setting?: Readonly<Record<string, string>>;
}

const WAYS: readonly Way[] = [
  ...inBoth({ family: "NATS", peer: "nats", broker: true, setting: { requests: "request" } }),
  ...inBoth({ family: "NATS", peer: "nats", broker: true, setting: { requests: "inbox" } }),
  ...inBoth({ family: "Moleculer", peer: "moleculer", setting: { serializer: "JSON" } }),
  ...inBoth({ family: "Moleculer", peer: "moleculer", setting: { serializer: "CBOR" } }),
  ...inBoth({
    family: "Moleculer over NATS",
    peer: "moleculer",
    broker: true,
    setting: { serializer: "JSON" },
  }),
  {
    family: "Moleculer over NATS",
    peer: "moleculer",
    runtime: "Node.js",
    broker: true,
    setting: { serializer: "CBOR" },
  },
  ...inBoth({ family: "gRPC", peer: "grpc" }),
  ...inBoth({ family: "Cap'n Web", peer: "capnweb", setting: { sockets: "ws" } }),
  { family: "Cap'n Web", peer: "capnweb", runtime: "Deno", setting: { sockets: "runtime" } },
];

function inBoth(way: Omit<Way, "runtime">): Way[] {
  return [{ ...way, runtime: "Node.js" }, { ...way, runtime: "Deno" }];
}

const CROWD_PROCESSES = 5;
const NODES_PER_PROCESS = 10;

/**
 * One callee each, over TCP.
 *
 * @param withNats False where there is no `nats-server`.
 */
export function peerSystems(withNats: boolean): Variant[] {
  return variants(withNats, 0);
}

/** Fifty more to call at once, ten in a process. */
export function peerCrowds(withNats: boolean): Variant[] {
  return variants(withNats, CROWD_PROCESSES);
}

function variants(withNats: boolean, crowdProcesses: number): Variant[] {
  return WAYS.filter(({ broker }) => withNats || !broker).map((way) => {
    const { family, runtime, broker, setting = {} } = way;
    const crowd = Array.from({ length: crowdProcesses }, (_, i) => {
      const crowd = { first: i * NODES_PER_PROCESS, nodes: NODES_PER_PROCESS };
      return program(way, "callee", "callee", { crowd });
    });
    return {
      name: [family, runtime, ...Object.values(setting)].join(", "),
      family,
      floor: broker ? "relay" : "direct",
      transport: "tcp",
      programs: [
        ...broker ? [program(way, "controller", "nats_server")] : [],
        program(way, "callee", "callee"),
        ...crowd,
        program(way, "caller", "caller"),
      ],
    };
  });
}

function program(
  { runtime, peer, setting }: Way,
  role: ProgramSpec["role"],
  name: string,
  more: Partial<PeerMeeting> = {},
): ProgramSpec {
  const command = [...COMMANDS[runtime], pathOf(`${name}.ts`)];
  return { role, command, argument: { peer, ...setting, ...more } };
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
