/**
 * A node that answers, for tests of what becomes of a call that comes in.
 *
 * @module
 */

import { encode } from "@msgpack/msgpack";
import { type CallbackOptions, CallbackRegistry } from "../../mod.ts";
import { Dispatcher } from "../../src/node/dispatcher.ts";
import { Network } from "../../src/node/network.ts";
import { TaskRuns } from "../../src/node/task_runs.ts";
import { Outbox } from "../../src/node/outbox.ts";
import type { RegisteredCallback } from "../../src/registry/registered_callback.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { FakeConnection } from "../helpers/fake_connection.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";

const SELF = 1;
/** The process that calls. */
export const CALLER = 2;
const MAX_FRAME_BYTES = 1_000_000;

/** A node that offers `f`, and another one that calls it. */
export class AnsweringRig {
  readonly codec = new MessagePackCodec();
  readonly wire = new FakeConnection();
  readonly outbox: Outbox;
  readonly dispatcher: Dispatcher;
  readonly #tasks: TaskRuns;

  constructor(f: (...args: never[]) => unknown, options: CallbackOptions = {}) {
    const registry = new CallbackRegistry();
    registry.callback("f", f, options);
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
    this.#tasks = new TaskRuns({ g: undefined, registry, dispatcher: this.dispatcher });
    const { connection, send } = this.wire;
    this.wire.send = (sent) => send.call(this.wire, { ...sent, payload: sent.payload.slice() });
    this.outbox = new Outbox(connection);
    this.dispatcher.connected({ connection, outbox: this.outbox, maxFrameBytes: MAX_FRAME_BYTES });
  }

  /** Sends a frame of call 1, or of another one. */
  say(kind: Kind, fields: Parameters<typeof frame>[1] = {}): void {
    this.dispatcher.onFrame(frame(kind, { peer: CALLER, call: 1, name: 1, ...fields }));
  }

  /** Calls `f` by call 1. */
  call(...args: unknown[]): void {
    this.say(Kind.Call, { payload: encode(args) });
  }

  /** Runs `f` as a task, and keeps what is told of it. */
  run(told: string[] = []): void {
    const task = { callbackName: "f", args: encode([]), owner: "owner" };
    this.#tasks.run(task, (error) => told.push((error as Error).name))
      .then(() => told.push("ended"));
  }

  /** What is told of the failures of calls: number, code, whether they ran. */
  get failures(): [call: number, code: unknown, executed: unknown][] {
    return this.wire.sent.filter(({ kind }) => kind === Kind.Error).map(({ call, payload }) => {
      const { code, executed } = this.codec.decode(payload) as { code: string; executed: string };
      return [call, code, executed];
    });
  }
}
