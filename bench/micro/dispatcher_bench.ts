import { CallbackRegistry } from "@daffi/core";
import { Dispatcher } from "../../src/node/dispatcher.ts";
import { Network } from "../../src/node/network.ts";
import { Outbox } from "../../src/node/outbox.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { DEFAULT_MAX_FRAME_BYTES } from "../../src/wire/limits.ts";
import { Sink } from "./sink.ts";

const SELF = 1;
const CALLER = 2;
const NAMES = { add: 1, addLater: 2, limited: 3 };

const registry = new CallbackRegistry();
registry.callback("add", (a: number, b: number) => a + b);
registry.callback("addLater", (a: number, b: number) => Promise.resolve(a + b));
registry.callback("limited", (a: number, b: number) => a + b, { concurrency: 4, timeout: "10s" });

const network = new Network({ onJoin() {}, onLeave() {}, offersItself: () => false });
const own = Object.entries(NAMES).map(([name, id]) => [id, name] as const);
network.reset({
  id: SELF,
  controller: "bench",
  maxFrameBytes: DEFAULT_MAX_FRAME_BYTES,
  processes: [[SELF, "self", own], [CALLER, "caller", []]],
});

const codec = new MessagePackCodec();
const dispatcher = new Dispatcher({
  g: undefined,
  codec,
  network,
  registry,
  logger: console,
  handleTask: () => {},
  transferred: registry.get("add")!,
});
const { connection } = new Sink();
dispatcher.connected({
  connection,
  outbox: new Outbox(connection),
  maxFrameBytes: DEFAULT_MAX_FRAME_BYTES,
});

const payload = codec.encode([1, 2], "args").slice();
const callOf = (name: keyof typeof NAMES) =>
  frame(Kind.Call, { call: 1, peer: CALLER, name: NAMES[name], payload });

const add = callOf("add");
Deno.bench("onFrame() a call of a function", { group: "dispatch", baseline: true }, () => {
  dispatcher.onFrame(add);
});

const limited = callOf("limited");
Deno.bench("onFrame() a call of a function with limits", { group: "dispatch" }, () => {
  dispatcher.onFrame(limited);
});

const addLater = callOf("addLater");
Deno.bench("onFrame() a call of an async function", { group: "dispatch" }, async () => {
  dispatcher.onFrame(addLater);
  await undefined; // so that calls do not pile up
});
