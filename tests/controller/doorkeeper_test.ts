import { assert } from "@std/assert";
import { Doorkeeper } from "../../src/controller/doorkeeper.ts";
import { AUTH_VERSION, newNonce, Secret } from "../../src/link/secret.ts";
import { memoryPipe } from "../../src/transport/memory.ts";
import { encodeControl } from "../../src/wire/control.ts";
import { Kind } from "../../src/wire/frame.ts";
import { MAX_DELAYED_HANDSHAKES } from "../../src/wire/limits.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";
import { turn } from "../link/fake_stream.ts";
import { helloFrame, idle } from "../link/handshake_frames.ts";
import { framed, RawLink } from "../link/raw_link.ts";

/** Makes strangers that come from one address. */
function door() {
  const logger = new RecordingLogger();
  const it = new Doorkeeper({
    maxFrameBytes: 1 << 20,
    secret: new Secret("what both know"),
    authorizer: undefined,
    logger,
    watch() {},
    admit: () => idle,
  });
  return () => {
    const [near, far] = memoryPipe();
    const link = new RawLink(near);
    const taken = it.take(Object.assign(far, { remote: "10.0.0.1" }));
    link.send(helloFrame({ auth: { version: AUTH_VERSION, nonce: newNonce() } }));
    return { link, leave: () => (link.connection.close(), taken) };
  };
}

Deno.test("Doorkeeper lets an address wait after a wrong proof, and counts those of it that are gone no longer", async () => {
  const stranger = door();
  const first = stranger();
  await first.link.payload(Kind.Challenge);
  first.link.send(framed(Kind.Proof, encodeControl({ mac: new Uint8Array(32) })));
  await first.link.payload(Kind.Refused);
  const begin = performance.now();
  await first.leave();
  const second = stranger();
  await second.link.payload(Kind.Challenge);
  assert(performance.now() - begin >= 90, "it did not wait");
  await second.leave();
  for (let i = 0; i < MAX_DELAYED_HANDSHAKES; i++) {
    const s = stranger();
    await turn();
    await s.leave();
  }
  const last = stranger();
  await last.link.payload(Kind.Challenge);
  await last.leave();
});
