/**
 * Where the processes of a test meet, and the test process's part in it.
 *
 * @module
 */

import { join } from "@std/path";
import { Global, type GlobalOptions, type JoinOptions } from "../../mod.ts";
import { Program, type ProgramOptions } from "../helpers/processes.ts";
import { within } from "../helpers/soon.ts";
import { Notes } from "./fixtures/notes.ts";
import { offer } from "./fixtures/offer.ts";
import { type RawConnection, RawWebSocket } from "./raw_web_socket.ts";

/** The fixture that is a process with any options. */
export const NODE = new URL("./fixtures/node.ts", import.meta.url);

/** An address for a controller that nobody else uses. */
export interface Place extends AsyncDisposable {
  readonly transport: "TCP" | "a UNIX socket" | "WebSocket";
  /** As options of a node. */
  readonly options: Pick<GlobalOptions, "host" | "port" | "unixSockPath" | "url">;
  /** As options of a controller. */
  readonly controllerOptions: Pick<GlobalOptions, "host" | "port" | "unixSockPath" | "web">;
  /** Opens a connection without the module. */
  dial(): Promise<RawConnection>;
  /** Takes the address as another program would. */
  occupy(): Deno.Listener;
}

/** As much of a place as whoever joins needs. */
export type Where = Pick<Place, "options"> & Partial<Pick<Place, "controllerOptions">>;

/** A free TCP port. */
export function tcpPlace(): Place {
  using probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = { hostname: "127.0.0.1", port: probe.addr.port };
  const options = { host: address.hostname, port: address.port };
  return {
    transport: "TCP",
    options,
    controllerOptions: options,
    dial: () => Deno.connect(address),
    occupy: () => Deno.listen(address),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function unixPlace(): Promise<Place> {
  const directory = await Deno.makeTempDir({ prefix: "daffi_" });
  const path = join(directory, ".sock");
  const options = { unixSockPath: directory };
  return {
    transport: "a UNIX socket",
    options,
    controllerOptions: options,
    dial: () => Deno.connect({ transport: "unix", path }),
    occupy: () => Deno.listen({ transport: "unix", path }),
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

/** A free TCP port for WebSockets. */
export function webPlace(): Place {
  const { options: { host, port }, occupy } = tcpPlace();
  const url = `ws://${host}:${port}/`;
  return {
    transport: "WebSocket",
    options: { url },
    controllerOptions: { web: { host: host!, port: Number(port) } },
    dial: () => RawWebSocket.connect(url),
    occupy,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Whether the system knows signals and UNIX sockets. */
export const POSIX = Deno.build.os !== "windows";
const TEST_LIMIT_MS = 90_000;

/** How places are made, by what they are over. */
const MAKERS: Readonly<Record<string, () => Place | Promise<Place>>> = {
  "TCP": tcpPlace,
  "UNIX sockets": unixPlace,
  "WebSockets": webPlace,
};

/** Defines a test that runs once over TCP and once over UNIX sockets. */
export function overBoth(
  name: string,
  run: (place: Place, t: Deno.TestContext) => Promise<void>,
  { needsPosix = false, ignore = false, transports = ["TCP", "UNIX sockets"] } = {},
): void {
  for (const over of transports) {
    Deno.test({
      name: `${name}, over ${over}`,
      ignore: ignore || !POSIX && (needsPosix || over === "UNIX sockets"),
      fn: async (t) => {
        await using place = await MAKERS[over]!();
        await within(name, run(place, t), TEST_LIMIT_MS);
      },
    });
  }
}

/** The same, and over WebSockets too. */
export function overAll(
  name: string,
  run: (place: Place, t: Deno.TestContext) => Promise<void>,
  options: { needsPosix?: boolean; ignore?: boolean } = {},
): void {
  overBoth(name, run, { ...options, transports: Object.keys(MAKERS) });
}

/** Defines a test that is too long to run it twice. */
export function overTcp(
  name: string,
  run: (place: Place) => Promise<void>,
  limitMs: number,
): void {
  Deno.test(`${name}, over TCP`, async () => {
    await using place = tcpPlace();
    await within(name, run(place), limitMs);
  });
}

/** The test process in the network, and what it was told and has logged. */
export interface Here extends AsyncDisposable {
  readonly g: Global;
  readonly notes: Notes;
  readonly logged: Notes;
  /** Offers `finish`, for which some programs wait. */
  offerFinish(): void;
}

/** Quick to come back, so that tests are. */
export const QUICK = { minDelayMs: 5, maxDelayMs: 50 };

/** Joins, or starts the controller, in the test process. */
export async function joinHere(
  place: Where,
  options: GlobalOptions = {},
): Promise<Here> {
  const notes = new Notes();
  const logged = new Notes();
  const log = (message: string) => logged.add("message", message);
  const callbacks = offer(notes);
  const g = new Global({
    processName: "here",
    reconnect: QUICK,
    callbacks,
    logger: { warn: log, error: log },
    ...(options.initController ? place.controllerOptions : place.options),
    ...options,
  });
  await g.ready;
  const offerFinish = () => void callbacks.callback("finish", () => {});
  return {
    g,
    notes,
    logged,
    offerFinish,
    [Symbol.asyncDispose]: () => g.stop({ drainTimeout: 100 }),
  };
}

/** Starts a process, and waits until it has joined or listens. */
export async function startNode(
  place: Where,
  processName: string,
  options: GlobalOptions & JoinOptions = {},
  run: ProgramOptions = {},
): Promise<Program> {
  const program = new Program(NODE, {
    processName,
    reconnect: QUICK,
    ...(options.initController ? place.controllerOptions : place.options),
    ...options,
  }, run);
  try {
    await program.event("ready");
  } catch (error) {
    await program.kill();
    throw error;
  }
  return program;
}

/** Starts a process that is a controller and nothing else. */
export function startController(place: Place, options: GlobalOptions = {}): Promise<Program> {
  return startNode(place, "controller", { initController: true, initNode: false, ...options });
}
