/**
 * A stranger's bytes against a controller that serves others.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Secret } from "../../src/link/secret.ts";
import { soon, until } from "../helpers/soon.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";
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

/** No answer to a few small frames is larger, whatever they ask for. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/**
 * Sends bytes to a controller as a new connection.
 *
 * @throws If one of the others notices, or the controller goes on less well than before.
 */
export async function attackController(bytes: Uint8Array): Promise<void> {
  await attack(bytes, undefined);
}

/**
 * The same against one that lets in only who knows its secret, which the stranger does not.
 *
 * @throws Also if the stranger came to anything.
 */
export async function attackGuardedController(bytes: Uint8Array): Promise<void> {
  const callers = await attack(bytes, new Secret(crypto.randomUUID()));
  assertEquals(callers, ["one"]);
}

/** @returns Who was able to call something. */
async function attack(bytes: Uint8Array, secret: Secret | undefined): Promise<string[]> {
  const logger = new RecordingLogger();
  const controller = new LiveController(logger, secret);
  const runs = { one: new Runs(), two: new Runs() };
  const connect = () => Promise.resolve(controller.connect());
  const one = startNode({ processName: "one", runs: runs.one, logger, connect, secret });
  await one.ready;
  const two = startNode({ processName: "two", runs: runs.two, logger, connect, secret });
  await two.ready;
  await soon(knows(one, "two"));
  const pending = one.caller.call(request("wait", [], { to: "two" }));

  const stranger = controller.connect();
  const answers = drain(stranger);
  await writeAll(stranger, bytes);
  const { caller } = one;
  assertEquals(await soon(caller.call(request("add", [1, 2], { to: "two" }))), 3);
  stranger.close();
  assert(await soon(answers) < MAX_ANSWER_BYTES);

  await until(() => Object.keys(one.network.registeredCallbacks()).join() === "two");
  await until(() => Object.keys(two.network.registeredCallbacks()).join() === "one");
  assertEquals(await soon(caller.call(request("add", [3, 4], { to: "two" }))), 7);
  assertEquals(
    await soon(caller.broadcast(request("add", [5, 6]), true)),
    { two: 11 },
  );
  runs.two.gate.resolve("waited");
  assertEquals(await soon(pending), "waited");
  assertRuns(runs.two, "one", 4);
  assertRuns(runs.one, "two", 0);

  await Promise.all([stopNode(one), stopNode(two)]);
  await controller.stop();
  const failures = logger.lines.filter((line) => line.startsWith("error"));
  // That a stranger hung up is no fault; what else ended its connection was found to be one.
  const broken = logger.lines.filter((line) =>
    line.includes("was lost: ") && !/within a frame|pipe is closed/.test(line)
  );
  assert(controller.protocolErrors >= broken.length, broken.join("\n"));
  assertEquals(failures, []);
  return [...runs.one.byCaller.keys(), ...runs.two.byCaller.keys()];
}
