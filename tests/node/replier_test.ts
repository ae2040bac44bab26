import { assertEquals, assertRejects } from "@std/assert";
import { encode, ExtData } from "@msgpack/msgpack";
import { CallbackRegistry, CallCancelledError } from "../../mod.ts";
import { Dispatcher } from "../../src/node/dispatcher.ts";
import { Network } from "../../src/node/network.ts";
import { Outbox } from "../../src/node/outbox.ts";
import type { RegisteredCallback } from "../../src/registry/registered_callback.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { FakeConnection } from "../helpers/fake_connection.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";
import { settled, soon } from "../helpers/soon.ts";

const [SELF, CALLER] = [1, 2];
const MAX_FRAME_BYTES = 1_000_000;

/** A node that offers `f`, and another one that calls it. */
class Rig {
  readonly codec = new MessagePackCodec();
  readonly wire = new FakeConnection();
  readonly outbox: Outbox;
  readonly dispatcher: Dispatcher;

  constructor(f: (...args: never[]) => unknown) {
    const registry = new CallbackRegistry();
    registry.callback("f", f);
    const network = new Network({ onJoin() {}, onLeave() {}, offersItself: () => false });
    network.reset({
      ...{ id: SELF, controller: "c", maxFrameBytes: MAX_FRAME_BYTES },
      processes: [[SELF, "self", [[1, "f"]]], [CALLER, "caller", []]],
    });
    this.dispatcher = new Dispatcher({
      ...{ g: undefined, codec: this.codec, network, registry, logger: new RecordingLogger() },
      handleTask: () => {},
      transferred: {} as RegisteredCallback,
    });
    const { connection } = this.wire;
    this.outbox = new Outbox(connection);
    this.dispatcher.connected({ connection, outbox: this.outbox, maxFrameBytes: MAX_FRAME_BYTES });
  }

  /** Sends a frame of the one call. */
  say(kind: Kind, fields: Parameters<typeof frame>[1] = {}): void {
    this.dispatcher.onFrame(frame(kind, { peer: CALLER, call: 1, name: 1, ...fields }));
  }

  call(...args: unknown[]): void {
    this.say(Kind.Call, { payload: encode(args) });
  }

  /** What the last frame tells of a failure. */
  get failure(): [code: unknown, executed: unknown] {
    const { code, executed } = this.codec.decode(this.wire.sent.at(-1)!.payload) as {
      code: string;
      executed: string;
    };
    return [code, executed];
  }
}

Deno.test("a stream that a callback gives when its call was cancelled is closed, and nothing is sent of it", async () => {
  const ready = Promise.withResolvers<void>();
  let closed = 0;
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false, value: 1 }),
      return: () => Promise.resolve({ done: true, value: ++closed }),
    }),
  };
  const rig = new Rig(async () => {
    await ready.promise;
    return source;
  });
  rig.call();
  rig.say(Kind.Cancel);
  ready.resolve();
  await settled();
  assertEquals([closed, rig.wire.told], [1, []]);
  assertEquals(rig.dispatcher.counts.runningCalls, 0);
});

Deno.test("an argument that is read behind the end of a stream ends with it, here and there", async () => {
  let read: Promise<unknown> | undefined;
  const rig = new Rig(function* (items: AsyncIterator<unknown>) {
    read = items.next();
    read.catch(() => {});
    yield 1;
  });
  rig.call(new ExtData(9, new Uint8Array([0, 1]))); // the stream of number 1
  rig.say(Kind.Credit, { value: 10 });
  await settled();
  const end = "streams of its arguments end with it";
  await assertRejects(() => soon(read!), CallCancelledError, end);
  assertEquals(rig.wire.told, ["STREAM 2 1", "CREDIT 2 1", "ITEM 2 1", "END 2 1", "STOP 2 1"]);
  assertEquals(rig.dispatcher.counts.runningCalls, 0);
});

Deno.test("a call whose answer finds no room has run", () => {
  const rig = new Rig(() => "x".repeat(5_000));
  rig.outbox.hasRoom = () => false;
  rig.call();
  assertEquals(rig.failure, ["OVERLOADED", "yes"]);
});
