import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../mod.ts";
import { argumentDecoder } from "../../src/node/arguments.ts";
import type { RunningCall } from "../../src/node/running_call.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { MAX_STREAMS_PER_CALL } from "../../src/wire/limits.ts";

/** The list of these streams, as it travels. */
function streams(...numbers: number[]): Uint8Array {
  const refs = numbers.flatMap((number) => [0xd5, 9, number >>> 8, number & 255]);
  return Uint8Array.of(0xdc, numbers.length >>> 8, numbers.length & 255, ...refs);
}

function decode(payload: Uint8Array): Map<number, unknown> {
  const call = { callId: 1, source: { id: 7 } } as RunningCall;
  const decode = argumentDecoder(new MessagePackCodec(), () => undefined);
  decode(call, frame(Kind.Call, { payload }));
  return call.argumentStreams!;
}

Deno.test("argumentDecoder() gives a call its streams", () => {
  assertEquals([...decode(streams(1, 2, MAX_STREAMS_PER_CALL)).keys()], [1, 2, 1024]);
});

Deno.test("argumentDecoder() refuses a stream that is there already, and one beyond the limit", () => {
  for (const numbers of [[0], [1, 1], [1, MAX_STREAMS_PER_CALL + 1], [0xffff]]) {
    assertThrows(() => decode(streams(...numbers)), ProtocolError, "cannot have a stream");
  }
});
