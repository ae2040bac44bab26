/**
 * A controller's bytes against a node, be it that the controller is none, or that the bytes were
 * damaged.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { DaffiError } from "../../mod.ts";
import type { Node } from "../../src/node/node.ts";
import { memoryPipe } from "../../src/transport/memory.ts";
import type { ByteStream } from "../../src/transport/transport.ts";
import { encodeControl } from "../../src/wire/control.ts";
import { type Frame, frame, Kind } from "../../src/wire/frame.ts";
import { PREFACE } from "../../src/wire/preface.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";
import { soon } from "../helpers/soon.ts";
import { concat, toBytes } from "../wire/frames.ts";
import {
  assertRuns,
  drain,
  knows,
  LiveController,
  request,
  Runs,
  startNode,
  stopNode,
  writeAll,
} from "./live.ts";

/** The node is number 1, and there is a process that offers the same. */
const offered: [number, string][] = [[1, "add"], [2, "wait"], [3, "count"], [4, "sum"]];

/** `WELCOME` as it should be. */
export const WELCOME: Frame = frame(Kind.Welcome, {
  payload: encodeControl({
    id: 1,
    controller: "c",
    maxFrameBytes: 1 << 20,
    processes: [[1, "node", offered], [2, "far", offered]],
  }),
});

/**
 * Welcomes a node, and goes on with these bytes.
 *
 * @throws If something of the node's goes on for ever, or it works less well with the next controller.
 */
export function attackNode(bytes: Uint8Array): Promise<void> {
  return attackFromTheStart(concat([PREFACE, toBytes(WELCOME), bytes]));
}

/** The same with all that the controller says, preface and `WELCOME` included. */
export async function attackFromTheStart(bytes: Uint8Array): Promise<void> {
  const logger = new RecordingLogger();
  const runs = new Runs();
  const controller = new LiveController(logger);
  const [first, there] = memoryPipe();
  let connects = 0;
  const present = new Set<string>();
  let failure: DaffiError | undefined;
  const node = startNode({
    processName: "node",
    runs,
    logger,
    connect: () => Promise.resolve(connects++ === 0 ? there : controller.connect()),
    events: {
      onJoin: (name) => void present.add(name),
      onLeave: (name) => assert(present.delete(name), `${name} left without having come`),
      onFailure: (error) => failure = error,
    },
  });
  const outcomes = callsOf(node); // wait for the connection, and leave with it
  await say(first, bytes);
  const stopped = node.ready.then(() => false, () => true);
  for (const error of await soon(outcomes)) assertTyped(error);

  if (failure === undefined) {
    await soon(node.ready);
    assertEquals(await stopped, false);
    await meet(node, controller, logger, present);
    assertRuns(runs, "good", 1);
  } else {
    assertTyped(failure);
  }
  await stopNode(node);
  await controller.stop();
  assertEquals(logger.lines.filter((line) => line.includes("TypeError")), []);
}

async function say(stream: ByteStream, bytes: Uint8Array): Promise<void> {
  const heard = drain(stream);
  await writeAll(stream, bytes);
  stream.close();
  await heard;
}

/** One call of each sort, the errors of which are what comes of them. */
function callsOf({ caller }: Node): Promise<unknown[]> {
  const to = "far";
  const timeoutMs = 300; // those that the bytes send into a network where nobody answers
  const failed = (promise: Promise<unknown>) => promise.then(() => undefined, (error) => error);
  const items = async function* () {
    for (let i = 0; i < 3; i++) yield await i;
  };
  const read = async () => {
    const stream = await caller.call(request("count", [3], { timeoutMs }));
    if (typeof stream !== "object" || stream === null || !(Symbol.asyncIterator in stream)) return;
    for await (const _ of stream as AsyncIterable<unknown>);
  };
  return Promise.all([
    failed(caller.call(request("add", [1, 2], { timeoutMs, to }))),
    failed(caller.call(request("add", [1, 2], { timeoutMs }))),
    failed(caller.broadcast(request("add", [1, 2], { timeoutMs }), true)),
    failed(caller.stream(request("add", [items()], { timeoutMs }))),
    failed(caller.call(request("sum", [items(), items()], { timeoutMs }))),
    failed(read()),
    failed(caller.noReturn(request("add", [1, 2]))),
  ]);
}

function assertTyped(error: unknown): void {
  if (error === undefined) return;
  if (!(error instanceof DaffiError)) throw error;
}

/** The next controller is a good one, and there is a good process. */
async function meet(
  node: Node,
  controller: LiveController,
  logger: RecordingLogger,
  present: Set<string>,
): Promise<void> {
  const connect = () => Promise.resolve(controller.connect());
  const good = startNode({ processName: "good", runs: new Runs(), logger, connect });
  await soon(knows(good, "node"));
  await soon(knows(node, "good"));
  assertEquals(await soon(node.caller.call(request("add", [1, 2], { to: "good" }))), 3);
  assertEquals(await soon(good.caller.call(request("add", [3, 4], { to: "node" }))), 7);
  assertEquals(Object.keys(node.network.registeredCallbacks()), ["good"]);
  assertEquals([...present], ["good"]);
  for (const name of ["far", "seven", "eight"]) {
    assert(!node.network.offers("", name), `${name} is a ghost`);
  }
  await stopNode(good);
}
