/**
 * Callers without a node, for tests of what leaves and what comes back.
 *
 * @module
 */

import { Outbox } from "../../src/node/outbox.ts";
import { Network } from "../../src/node/network.ts";
import { Caller } from "../../src/node/caller.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { encodeControl, type ProcessEntry } from "../../src/wire/control.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import type { LargePayloads } from "../../src/wire/large_payloads.ts";
import { FakeConnection } from "../helpers/fake_connection.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";

/** A caller without a node. @param large Keeps large arrays apart. */
export function callerRig(large?: LargePayloads) {
  const network = new Network({ onJoin() {}, onLeave() {}, offersItself: () => false });
  const welcome = (...processes: ProcessEntry[]) =>
    network.reset({
      id: 1,
      controller: "c",
      maxFrameBytes: 1 << 20,
      processes: [[1, "self", []], ...processes],
    });
  const logger = new RecordingLogger();
  const caller = new Caller({
    codec: new MessagePackCodec(large),
    network,
    logger,
    defaultTimeoutMs: Infinity,
  });
  const wire = new FakeConnection();
  const connect = (maxFrameBytes = 1000): Outbox => {
    const outbox = new Outbox(wire.connection, large?.divide);
    caller.connected({ connection: wire.connection, outbox, maxFrameBytes });
    return outbox;
  };
  const lose = () => {
    caller.disconnected();
    network.clear();
  };
  return { network, welcome, caller, logger, wire, connect, lose };
}

/** A caller that two processes answer. */
export function two() {
  const rig = callerRig();
  rig.welcome([2, "quick", [[1, "add"]]], [3, "slow", [[1, "add"]]]);
  rig.connect();
  const say = (
    kind: Kind,
    peer: number,
    payload: Uint8Array = new MessagePackCodec().encode(3, "r").slice(),
    value = 0,
  ) => {
    const { call } = rig.wire.sent[0]!;
    rig.caller.onFrame(frame(kind, { call, peer, payload, value }));
  };
  return {
    ...rig,
    say,
    targets: () => say(Kind.Targets, 0, encodeControl([2, 3])),
    [Symbol.dispose]: () => rig.caller.end(undefined),
  };
}
