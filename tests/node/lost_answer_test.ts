import { assertEquals, assertRejects } from "@std/assert";
import { OverloadedError } from "../../mod.ts";
import { Assembler } from "../../src/node/assembler.ts";
import { Flag, frame, Kind } from "../../src/wire/frame.ts";
import { MAX_UNFINISHED_BYTES } from "../../src/wire/limits.ts";
import { request } from "../fuzz/live.ts";
import { soon } from "../helpers/soon.ts";
import { two } from "./caller_rig.ts";

Deno.test("a call whose answer finds no memory here has run", async () => {
  using rig = two();
  const outcome = rig.caller.call(request("add", [1], { to: "quick" }));
  const { call } = rig.wire.sent[0]!;
  const assembler = new Assembler({
    maxFrameBytes: 2 ** 31,
    deliver: (incoming, problem) => rig.caller.onFrame(incoming, problem),
  });
  const size = MAX_UNFINISHED_BYTES + 1;
  const announced = new Uint8Array(12);
  const view = new DataView(announced.buffer);
  view.setUint32(0, size); // bytes in all, one attachment that begins at 0
  view.setUint32(8, size);
  const answer = { peer: 2, call, payload: announced, flags: Flag.InParts };
  assembler.onFrame(frame(Kind.Result, answer));
  assembler.onFrame(frame(Kind.Part, { peer: 2, call, payload: new Uint8Array(1) }));
  const error = await assertRejects(() => soon(outcome), OverloadedError, "are unfinished");
  assertEquals(error.executed, "yes");
});
