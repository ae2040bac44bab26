import { assertEquals } from "@std/assert";
import { Framer } from "../../src/wire/framer.ts";
import { encodeControl, type NamedCallback, type ProcessEntry } from "../../src/wire/control.ts";
import { type Frame, frame, Kind } from "../../src/wire/frame.ts";
import { KIND_NAMES } from "../../src/wire/kind_names.ts";
import { PREFACE, PREFACE_BYTES } from "../../src/wire/preface.ts";
import { memoryPipe } from "../../src/transport/memory.ts";
import type { ByteStream } from "../../src/transport/transport.ts";
import { request, Runs, startNode, stopNode, writeAll } from "../fuzz/live.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";
import { soon } from "../helpers/soon.ts";
import { concat, toBytes } from "../wire/frames.ts";

/** A controller's end of a pipe. */
class ControllerEnd {
  readonly stream: ByteStream;
  readonly #framer = new Framer(1 << 20);
  #frames: string[] = [];
  #begun = false;

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  async welcome(...others: ProcessEntry[]): Promise<void> {
    const own: NamedCallback[] = [[1, "add"], [2, "wait"], [3, "count"], [4, "sum"]];
    const processes: ProcessEntry[] = [[1, "node", own], ...others];
    const welcome = { id: 1, controller: "c", maxFrameBytes: 1 << 20, processes };
    const payload = encodeControl(welcome);
    await this.send(PREFACE, toBytes(frame(Kind.Welcome, { payload })));
  }

  async send(...parts: Uint8Array[]): Promise<void> {
    await writeAll(this.stream, concat(parts));
  }

  /** The next frame, as its kind and whom it is for. */
  async next(): Promise<string> {
    if (!this.#begun) await this.stream.read(new Uint8Array(PREFACE_BYTES));
    this.#begun = true;
    const keep = ({ kind, peer }: Frame) =>
      void this.#frames.push(`${KIND_NAMES.get(kind)} ${peer}`);
    while (this.#frames.length === 0) {
      this.#framer.advance((await this.stream.read(this.#framer.space()))!, keep);
    }
    return this.#frames.shift()!;
  }
}

Deno.test("a broadcast does not overtake calls that wait for a process to come back", async () => {
  const far: ProcessEntry = [2, "far", [[1, "add"]]];
  const other: ProcessEntry = [3, "other", [[1, "add"]]];
  const pipes = [memoryPipe(), memoryPipe()];
  const [first, second] = pipes.map(([end]) => new ControllerEnd(end));
  let connects = 0;
  const connected = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let connections = 0;
  const node = startNode({
    processName: "node",
    runs: new Runs(),
    logger: new RecordingLogger(),
    connect: () => Promise.resolve(pipes[connects++]![1]),
    events: { onConnect: () => connected[connections++]!.resolve() },
  });
  const { caller } = node;
  await first!.welcome(far, other);
  await soon(connected[0]!.promise);
  first!.stream.close();

  assertEquals(await soon(second!.next()), "HELLO 0");
  await second!.welcome([4, "other", [[1, "add"]]]); // and the other is to come
  await soon(connected[1]!.promise);
  const lost: Promise<unknown>[] = [
    caller.call(request("add", [1, 2], { to: "far" })),
    caller.broadcast(request("add", [3, 4]), true),
  ];
  await caller.broadcast(request("add", [5, 6]));
  assertEquals(await soon(second!.next()), "CALL 4");
  assertEquals(await soon(second!.next()), "CALL 4");
  const join = { type: "join", process: [5, "far", [[1, "add"]]] } as const;
  await second!.send(toBytes(frame(Kind.Directory, { payload: encodeControl(join) })));
  assertEquals(await soon(second!.next()), "CALL 5");
  lost.push(caller.broadcast(request("add", [7, 8]), true));
  assertEquals(await soon(second!.next()), "BROADCAST 0");

  const settled = Promise.allSettled(lost);
  second!.stream.close();
  await stopNode(node);
  assertEquals((await settled).map(({ status }) => status), ["rejected", "rejected", "rejected"]);
});
