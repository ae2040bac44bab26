import { assert, assertEquals, assertRejects } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import { DaffiError } from "../../mod.ts";
import type { Program } from "../helpers/processes.ts";
import { later, within } from "../helpers/soon.ts";
import { numbered } from "./fixtures/invoke.ts";
import {
  type Here,
  joinHere,
  overBoth,
  type Place,
  startController,
  startNode,
} from "./network.ts";
import { KIND, rawFrame, RawPeer } from "./raw_peer.ts";

/** Two honest processes, and one that joined by hand. */
async function withForger(
  place: Place,
  run: (here: Here, forger: RawPeer, there: Program) => Promise<void>,
): Promise<void> {
  await using _controller = await startController(place);
  await using there = await startNode(place, "there");
  await using here = await joinHere(place);
  await here.g.waitProcess("there");
  using forger = await RawPeer.join(place, "forger", ["trap"]);
  await here.g.waitProcess("forger");
  await run(here, forger, there);
}

/**
 * A call id of `here`. Ids are handed out one after the other, so a process that was called once
 * can guess all others.
 */
async function guessCallId({ g }: Here, forger: RawPeer): Promise<number> {
  g.call.trap().noReturn();
  return (await forger.readUntil(KIND.CALL)).call;
}

/** Sends frames about every call that `here` may have under way, and waits until they were seen. */
async function forge(
  forger: RawPeer,
  target: string,
  id: number,
  kinds: [kind: number, payload?: unknown, stream?: number, value?: number][],
): Promise<void> {
  const peer = forger.idOf(target);
  for (let call = Math.max(1, id - 20); call < id + 20; call++) {
    for (const [kind, content, stream = 0, value = 0] of kinds) {
      const payload = content === undefined ? new Uint8Array(0) : encode(content);
      await forger.send(kind, { call, peer, stream, value, payload });
    }
  }
  // Frames of one pair of processes keep their order, and so do calls and answers.
  const name = forger.nameOf(target, "add");
  await forger.send(KIND.CALL, { call: 1, peer, name, payload: encode([1, 2]) });
  await forger.readUntil(KIND.RESULT);
}

const FAILURE = { code: "PROTOCOL", message: "forged", executed: "never" };

overBoth("answers of a process that was not called are ignored and counted", async (place) => {
  await withForger(place, async (here, forger) => {
    const { g } = here;
    const pending = later(g.call.notes("t", 1).fg());
    const background = g.call.notes("t", 1).bg();
    const broadcast = later(g.call.notes("t", 1).broadcast({ returnResult: true }));
    const id = await guessCallId(here, forger);
    await forge(forger, "here", id, [
      [KIND.RESULT, "forged"],
      [KIND.ERROR, FAILURE],
      [KIND.STREAM],
      [KIND.END],
      [KIND.FAIL, FAILURE],
      [KIND.STOP, undefined, 1],
      [KIND.CREDIT, undefined, 1, 1_000],
    ]);
    assert(g.stats.lateAnswers >= 40, `${g.stats.lateAnswers} were counted`);
    assertEquals(background.done, false);
    await g.call.note({ topic: "t", value: "true" });
    assertEquals(await pending, ["true"]);
    assertEquals(await background.get(), ["true"]);
    assertEquals(await broadcast, { there: ["true"] });
  });
});

overBoth("a call cannot be cancelled by another process", async (place) => {
  await withForger(place, async (here, forger) => {
    const { g } = here;
    later(g.call.untilAborted("t").fg({ timeout: "30s" }));
    const other = later(g.call.notes("go", 1).fg());
    await g.call.notes("t", 1);
    const id = await guessCallId(here, forger);
    await forge(forger, "there", id, [[KIND.CANCEL]]);
    await g.call.note({ topic: "go", value: "on" });
    assertEquals(await other, ["on"]);
    assertEquals(await g.call.notes("t", 1), ["started"]);
    const cancelled = g.call.untilAborted("t2").bg();
    await g.call.notes("t2", 1);
    cancelled.cancel();
    assertEquals(await g.call.notes("t2", 2), ["started", "aborted"]);
  });
});

overBoth("streams of others cannot be joined, fed or ended", async (place) => {
  await withForger(place, async (here, forger) => {
    const { g } = here;
    const count = 2_000;
    const gate = Promise.withResolvers<void>();
    const items = async function* () {
      for await (const item of numbered("t", count)) {
        if (item.value === 1_000) await gate.promise;
        yield item;
      }
    };
    const sending = later(g.call.note(items()).stream({ to: "there" }));
    const received: number[] = [];
    const receiving = later((async () => {
      for await (const item of g.call.count(count, "c")) {
        if (received.push(item) === 1_000) await gate.promise;
      }
    })());
    await g.call.notes("t", 1_000);
    const id = await guessCallId(here, forger);
    const item = { topic: "t", value: "forged" };
    await forge(forger, "there", id, [
      [KIND.ITEM, item, 1],
      [KIND.END, undefined, 1],
      [KIND.FAIL, FAILURE, 1],
      [KIND.STOP],
      [KIND.CREDIT, undefined, 0, 1_000_000],
    ]);
    await forge(forger, "here", id, [
      [KIND.ITEM, "forged"],
      [KIND.END],
      [KIND.FAIL, FAILURE],
      [KIND.STOP, undefined, 1],
      [KIND.CREDIT, undefined, 1, 1_000_000],
    ]);
    gate.resolve();
    await Promise.all([sending, receiving]);
    const expected = Array.from({ length: count }, (_, i) => i);
    assertEquals(received, expected);
    assertEquals(await g.call.notes("t", count), expected);
  });
});

overBoth("frames for processes that do not exist are dropped", async (place) => {
  await withForger(place, async ({ g }, forger) => {
    const kinds = [KIND.RESULT, KIND.ERROR, KIND.CANCEL, KIND.ITEM, KIND.CREDIT, KIND.STOP];
    for (const peer of [0, 999, 0xffffffff]) {
      for (const kind of kinds) await forger.send(kind, { peer, call: 1 });
      await forger.send(KIND.CALL, { peer, call: 7, name: 1 });
      const answer = await forger.readUntil(KIND.UNDELIVERED);
      assertEquals([answer.call, answer.peer, answer.value], [7, peer, 1]);
    }
    assertEquals(await g.call.add(1, 2), 3);
  });
});

overBoth("a call that is wrong in itself gets an ERROR and the connection stays", async (place) => {
  await withForger(place, async ({ g }, forger) => {
    const peer = forger.idOf("there");
    const add = forger.nameOf("there", "add");
    const payloads = {
      "nothing": new Uint8Array(0),
      "no MessagePack": new Uint8Array([0xc1]),
      "a torn list": new Uint8Array([0x92, 0x01]),
      "a declared list of 4 billion": new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]),
      "too deep": new Uint8Array(100_000).fill(0x91),
      "no list": encode({ a: 1 }),
    };
    let call = 0;
    for (const [what, payload] of Object.entries(payloads)) {
      await forger.send(KIND.CALL, { call: ++call, peer, name: add, payload });
      const answer = await forger.readUntil(KIND.ERROR);
      assertEquals([answer.call, answer.peer], [call, peer], what);
    }
    await forger.send(KIND.CALL, { call: ++call, peer, name: 0xffff, payload: encode([]) });
    assertEquals((await forger.readUntil(KIND.ERROR)).call, call);
    assertEquals(await g.call.add(1, 2).fg({ to: "there" }), 3);
  });
});

overBoth("an answer that cannot be read fails its call only", async (place) => {
  await withForger(place, async ({ g }, forger) => {
    const answers: [number, Uint8Array][] = [
      [KIND.RESULT, new Uint8Array([0xc1])],
      [KIND.RESULT, new Uint8Array(100_000).fill(0x91)],
      [KIND.ERROR, encode("no map")],
      [KIND.ERROR, new Uint8Array(0)],
    ];
    for (const [kind, payload] of answers) {
      const call = later(g.call.trap().fg({ timeout: "20s" }));
      const { call: id, peer } = await forger.readUntil(KIND.CALL);
      await forger.write(rawFrame(kind, { call: id, peer, payload }));
      const error = await within("the rejection", assertRejects(() => call, DaffiError), 5_000);
      assertEquals([error.processName, error.callbackName], ["forger", "trap"]);
    }
    const call = later(g.call.trap().fg());
    const { call: id, peer } = await forger.readUntil(KIND.CALL);
    for (const answer of ["first", "second"]) {
      await forger.send(KIND.RESULT, { call: id, peer, payload: encode(answer) });
    }
    assertEquals(await call, "first");
    assertEquals(await g.call.add(1, 2), 3);
  });
});

overBoth("a producer that sends more items than allowed fails its stream only", async (place) => {
  await withForger(place, async ({ g }, forger) => {
    const reading = later((async () => {
      for await (const _ of g.call.trap()) await g.call.add(1, 2).fg({ to: "there" });
    })());
    const { call, peer } = await forger.readUntil(KIND.CALL);
    await forger.send(KIND.STREAM, { call, peer });
    for (let i = 0; i < 1_000; i++) {
      await forger.send(KIND.ITEM, { call, peer, payload: encode(i) });
    }
    const error = await within("the rejection", assertRejects(() => reading, DaffiError), 5_000);
    assertEquals([error.name, error.callbackName, error.callId, error.executed], [
      "ProtocolError",
      "trap",
      call,
      "yes",
    ]);
    assertEquals(await g.call.add(1, 2).fg({ to: "there" }), 3);
  });
});
