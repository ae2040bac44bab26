import { assertEquals, assertRejects } from "@std/assert";
import { type DaffiError, OverloadedError } from "../../mod.ts";
import { Assembler } from "../../src/node/assembler.ts";
import { Flag, type Frame, frame, Kind } from "../../src/wire/frame.ts";
import { request } from "../fuzz/live.ts";
import { soon } from "../helpers/soon.ts";
import { announcementOf } from "../wire/frames.ts";
import { two } from "./caller_rig.ts";

const SIZE = 100_000;

for (
  const [when, peerOfPart] of [["for itself", 2], ["any more, for others take it", 3]] as const
) {
  Deno.test(`a call whose answer finds no memory ${when} has run`, async () => {
    using rig = two();
    const outcome = rig.caller.call(request("add", [1], { to: "quick" }));
    const { call } = rig.wire.sent[0]!;
    const deliver = (incoming: Frame, problem?: DaffiError) =>
      rig.caller.onFrame(incoming, problem);
    const assembler = new Assembler({ maxFrameBytes: 2 ** 20, deliver }, SIZE - 1);
    const begin = { call, flags: Flag.InParts, payload: announcementOf(SIZE, 0, SIZE) };
    assembler.onFrame(frame(Kind.Result, { ...begin, peer: 2 }));
    assembler.onFrame(frame(Kind.Part, { call, peer: 2, payload: new Uint8Array(1) }));
    assembler.onFrame(frame(Kind.Result, { ...begin, peer: 3 }));
    const payload = new Uint8Array(SIZE - 1);
    assembler.onFrame(frame(Kind.Part, { call, peer: peerOfPart, payload }));
    const error = await assertRejects(() => soon(outcome), OverloadedError);
    assertEquals(error.executed, "yes");
  });
}
