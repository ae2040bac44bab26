import { assertEquals } from "@std/assert";
import { decode, encode } from "@msgpack/msgpack";
import { KIND, RawPeer } from "./e2e/raw_peer.ts";
import type { Place } from "./e2e/network.ts";
import { uuid } from "./scheduler/rig.ts";
import { until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";
import { MessagePackCodec } from "../src/wire/codec.ts";
import { MAX_TASK_FAILED_BYTES } from "../src/node/task_service.ts";

const TASK = 0x20;
const TASK_FAILED = 0x21;

/** A stranger who says what it likes to the node of the hub. */
class Stranger implements Disposable {
  readonly peer: RawPeer;
  #call = 0;

  private constructor(peer: RawPeer) {
    this.peer = peer;
  }

  static async join({ hub }: TestNetwork): Promise<Stranger> {
    const place = { dial: () => Deno.connect({ hostname: "localhost", port: hub.port! }) };
    const peer = await RawPeer.join(place as unknown as Place, "stranger");
    await hub.waitProcess("stranger");
    return new Stranger(peer);
  }

  /** Sends a payload as it is, and gives the kind of the answer and what it says. */
  async raw(payload: Uint8Array): Promise<{ kind: number; value: unknown }> {
    const call = ++this.#call;
    await this.peer.send(TASK, { call, peer: this.peer.idOf("hub"), payload });
    for (;;) {
      const answer = await this.peer.read();
      if (answer === null) throw new Error("the connection was closed");
      if (answer.call !== call) continue;
      return { kind: answer.kind, value: decode(answer.payload) };
    }
  }

  /** Asks for something. */
  ask(request: unknown): Promise<{ kind: number; value: unknown }> {
    return this.raw(encode([request]));
  }

  [Symbol.dispose](): void {
    this.peer[Symbol.dispose]();
  }
}

function create(fields: Record<string, unknown> = {}): unknown {
  return {
    op: "create",
    spec: {
      callbackName: "f",
      args: new Uint8Array([0x90]),
      trigger: { type: "interval", everyMs: 10 },
      overlap: "skip",
      catchUpMs: 60_000,
      ...fields,
    },
  };
}

Deno.test("a node in another language can schedule, list, and cancel", async () => {
  let runs = 0;
  await using network = await TestNetwork.start((callback) => callback("f", () => runs++));
  using stranger = await Stranger.join(network);
  const { kind, value: uuid } = await stranger.ask(create());
  assertEquals(kind, KIND.RESULT);
  assertEquals(await stranger.ask({ op: "list" }), { kind: KIND.RESULT, value: [uuid] });
  const described = (await stranger.ask({ op: "describe" })).value as Record<string, unknown>[];
  assertEquals(described[0]!.owner, "stranger");
  await until(() => runs >= 2);
  assertEquals(await stranger.ask({ op: "cancel", uuid }), { kind: KIND.RESULT, value: true });
  assertEquals(await stranger.ask({ op: "cancel", uuid }), { kind: KIND.RESULT, value: false });
});

Deno.test("what is no request is refused, and everything goes on", async () => {
  await using network = await TestNetwork.start((callback) => callback("f", () => {}));
  using stranger = await Stranger.join(network);
  const refused = async (answer: Promise<{ kind: number; value: unknown }>, code: string) => {
    const { kind, value } = await answer;
    assertEquals([kind, (value as { code: string }).code], [KIND.ERROR, code]);
  };
  for (const request of [null, 1, "list", [], {}, { op: "destroy" }, { op: "cancel" }]) {
    await refused(stranger.ask(request), "PROTOCOL");
  }
  for (
    const fields of [
      ...[{ args: "none" }, { overlap: 7 }, { catchUpMs: -1 }, { maxRuns: 0 }, { uuid: "x" }],
      ...[{ trigger: { type: "interval", everyMs: 0 } }, { trigger: null }],
    ]
  ) {
    await refused(stranger.ask(create(fields)), "PROTOCOL");
  }
  const cron = (expression: string, timezone = "UTC") =>
    stranger.ask(create({ trigger: { type: "cron", expression, timezone } }));
  await refused(cron("x"), "INITIALIZATION");
  await refused(cron("0 0 30 2 *"), "INITIALIZATION");
  await refused(cron("* * * * *", "Mars"), "INITIALIZATION");
  await refused(
    stranger.ask(create({ trigger: { type: "atTime", timesMs: [Date.now() - 3_600_000] } })),
    "INITIALIZATION",
  );
  for (const bytes of [[], [0xc1], [0x90], [0xdd, 255, 255, 255, 255], [0xa1]]) {
    assertEquals((await stranger.raw(new Uint8Array(bytes))).kind, KIND.ERROR);
  }
  assertEquals(await stranger.ask({ op: "list" }), { kind: KIND.RESULT, value: [] });
});

Deno.test("a task whose arguments cannot be decoded is refused at once", async () => {
  let runs = 0;
  await using network = await TestNetwork.start((callback) => callback("f", () => runs++));
  using stranger = await Stranger.join(network);
  const bad = {
    "no MessagePack": [0xc1],
    "nothing": [],
    "no list": [0x01],
    "cut off": [0x92, 0x01],
    "a stream, whose items nobody will send": [0x91, 0xd5, 9, 0, 1],
  };
  for (const [what, args] of Object.entries(bad)) {
    const { kind, value } = await stranger.ask(create({ args: new Uint8Array(args) }));
    const { code, executed } = value as { code: string; executed: string };
    assertEquals([kind, code, executed], [KIND.ERROR, "PROTOCOL", "never"], what);
  }
  assertEquals(await network.hub.getScheduledTasks("hub"), []);
  await stranger.ask(create());
  await until(() => runs >= 2);
});

Deno.test("a TASK whose payload is no list of exactly one request is refused", async () => {
  await using network = await TestNetwork.start();
  using stranger = await Stranger.join(network);
  const request = { op: "list" };
  for (const payload of [request, [], [request, 1], [request, request], "list"]) {
    const { kind, value } = await stranger.raw(encode(payload));
    assertEquals([kind, (value as { code: string }).code], [KIND.ERROR, "PROTOCOL"]);
  }
  assertEquals(await stranger.ask(request), { kind: KIND.RESULT, value: [] });
});

Deno.test("a task for a callback that is not there is refused or waits, and does no harm", async () => {
  await using network = await TestNetwork.start((callback) => callback("f", () => {}));
  using stranger = await Stranger.join(network);
  for (const callbackName of ["nothing", "__proto__", "constructor", "then", ""]) {
    const { kind } = await stranger.ask(create({ callbackName }));
    if (kind === KIND.ERROR) continue;
    const tasks = await network.hub.describeScheduledTasks("hub");
    assertEquals(tasks.find((task) => task.callbackName === callbackName)!.status, "waiting");
  }
});

Deno.test("a TASK for a process that is gone comes back", async () => {
  await using network = await TestNetwork.start();
  using stranger = await Stranger.join(network);
  await stranger.peer.send(TASK, { call: 1, peer: 999, payload: encode([{ op: "list" }]) });
  const { value } = await stranger.peer.readUntil(KIND.UNDELIVERED);
  assertEquals(value, 1);
});

Deno.test("a TASK_FAILED that makes no sense is no event", async () => {
  const heard: unknown[] = [];
  await using network = await TestNetwork.start(() => {}, {
    onTaskFailure: (_, failure) => void heard.push(failure),
  });
  using stranger = await Stranger.join(network);
  const tell = (payload: Uint8Array) =>
    stranger.peer.send(TASK_FAILED, { peer: stranger.peer.idOf("hub"), payload });
  for (const bad of [null, 1, [], {}, { uuid: 1, callbackName: "f" }, { uuid: uuid(1) }]) {
    await tell(encode(bad));
  }
  await tell(new Uint8Array([0xc1]));
  const good = { uuid: uuid(1), callbackName: "f", message: "no", processName: "hub" };
  await tell(new MessagePackCodec().encode({ ...good, more: new Set([1]) }, "failure").slice());
  await tell(encode({ ...good, message: "x".repeat(MAX_TASK_FAILED_BYTES) }));
  await tell(encode(good));
  await until(() => heard.length > 0);
  assertEquals(heard, [{
    ...{ uuid: uuid(1), callbackName: "f", message: "no" },
    processName: "stranger",
  }]);
});
