import { assertEquals } from "@std/assert";
import { MAX_QUEUED_BYTES } from "../../src/wire/limits.ts";
import { fakePeer } from "./peers.ts";

Deno.test("slowDown() asks each source to pause, once", () => {
  const [slow, a, b] = [fakePeer(1), fakePeer(2), fakePeer(3)];
  for (const { peer } of [a, b, a, b]) slow.peer.slowDown(peer);
  assertEquals([a.wire.told, b.wire.told], [["PAUSE 1 0"], ["PAUSE 1 0"]]);
  assertEquals([a.wire.held, slow.wire.told], [false, []]);
});

Deno.test("slowDown() stops reading from a source once the queue is full", () => {
  const [slow, source] = [fakePeer(1), fakePeer(2)];
  slow.wire.queuedBytes = MAX_QUEUED_BYTES;
  slow.peer.slowDown(source.peer);
  assertEquals(source.wire.held, false);
  slow.wire.queuedBytes++;
  slow.peer.slowDown(source.peer);
  assertEquals(source.wire.held, true);
});

Deno.test("slowDown() does not stop reading from a node that sends to itself", () => {
  const slow = fakePeer(1);
  slow.wire.queuedBytes = MAX_QUEUED_BYTES + 1;
  slow.peer.slowDown(slow.peer);
  assertEquals(slow.wire.held, false);
});

Deno.test("letGo() lets everybody go on, once", () => {
  const [slow, a, b] = [fakePeer(1), fakePeer(2), fakePeer(3)];
  slow.peer.slowDown(a.peer);
  slow.wire.queuedBytes = MAX_QUEUED_BYTES + 1;
  slow.peer.slowDown(b.peer);
  slow.peer.letGo();
  slow.peer.letGo();
  assertEquals([a.wire.told, b.wire.told], [
    ["PAUSE 1 0", "RESUME 1 0"],
    ["PAUSE 1 0", "RESUME 1 0"],
  ]);
  assertEquals(b.wire.held, false);
  slow.peer.slowDown(a.peer);
  assertEquals(a.wire.told.at(-1), "PAUSE 1 0");
});

Deno.test("letGo() keeps a source held that another node is too slow for", () => {
  const [one, two, source] = [fakePeer(1), fakePeer(2), fakePeer(3)];
  for (const slow of [one, two]) {
    slow.wire.queuedBytes = MAX_QUEUED_BYTES + 1;
    slow.peer.slowDown(source.peer);
  }
  one.peer.letGo();
  assertEquals(source.wire.held, true);
  two.peer.letGo();
  assertEquals(source.wire.held, false);
});
