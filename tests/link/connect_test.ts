import { assert, assertEquals, assertRejects, assertStrictEquals, fail } from "@std/assert";
import { ConnectionError } from "../../mod.ts";
import { connectInTime } from "../../src/link/connect.ts";
import type { Address, ByteStream, Transport } from "../../src/transport/transport.ts";
import { CONNECT_TIMEOUT_MS } from "../../src/wire/limits.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { FakeStream } from "./fake_stream.ts";

function transport(): {
  transport: Transport;
  answer: PromiseWithResolvers<{ stream: ByteStream; address: Address }>;
} {
  const answer = Promise.withResolvers<{ stream: ByteStream; address: Address }>();
  const listen = () => Promise.reject(new Error("not here"));
  const connect = (signal?: AbortSignal) => {
    signal?.addEventListener("abort", () => answer.reject(new ConnectionError("given up")));
    return answer.promise;
  };
  return { answer, transport: { description: "far:1", connect, listen } };
}

const { signal } = new AbortController();

Deno.test("connectInTime() gives the connection, and leaves no timer", async () => {
  using time = new FakeTime();
  const { transport: far, answer } = transport();
  const connecting = connectInTime(far, signal);
  await time.tickAsync(CONNECT_TIMEOUT_MS - 1);
  const connected = { stream: new FakeStream(), address: {} };
  answer.resolve(connected);
  assertStrictEquals(await connecting, connected);
  assertEquals([time.pending, connected.stream.closes], [0, 0]);
});

Deno.test("connectInTime() fails as connecting does", async () => {
  using time = new FakeTime();
  const { transport: far, answer } = transport();
  answer.reject(new ConnectionError("no"));
  await assertRejects(() => connectInTime(far, signal), ConnectionError, "no");
  assertEquals(time.pending, 0);
});

Deno.test("connectInTime() gives up at once when it was told to before it began", async () => {
  const { transport: far } = transport();
  const connect = (signal?: AbortSignal) =>
    signal!.aborted ? Promise.reject(new ConnectionError("given up")) : fail("it has begun");
  const connecting = connectInTime({ ...far, connect }, AbortSignal.abort());
  await assertRejects(() => connecting, ConnectionError, "given up");
});

Deno.test("connectInTime() gives up at once when it is told to, but not once it is connected", async () => {
  using time = new FakeTime();
  const stop = new AbortController();
  const { transport: far } = transport();
  const failed = assertRejects(() => connectInTime(far, stop.signal), ConnectionError, "given up");
  stop.abort();
  await failed;
  assertEquals(time.pending, 0);

  const later = new AbortController();
  let aborted = false;
  const connect = (attempt?: AbortSignal) => {
    attempt!.addEventListener("abort", () => aborted = true);
    return Promise.resolve({ stream: new FakeStream(), address: {} });
  };
  await connectInTime({ ...far, connect }, later.signal);
  later.abort();
  assertEquals(aborted, false);
});

for (const outcome of ["comes late", "fails late"]) {
  Deno.test(`connectInTime() does not wait for a connection that ${outcome}`, async () => {
    using time = new FakeTime();
    const { transport: deaf, answer } = transport();
    const far = { ...deaf, connect: () => deaf.connect() };
    const failed = assertRejects(() => connectInTime(far, signal), ConnectionError);
    await time.tickAsync(CONNECT_TIMEOUT_MS);
    const { message } = await failed;
    assert(message.includes("at far:1: nobody has answered"), message);
    const stream = new FakeStream();
    if (outcome === "comes late") answer.resolve({ stream, address: {} });
    else answer.reject(new Error("nobody looks at this"));
    await time.runMicrotasks();
    assertEquals(stream.closes, outcome === "comes late" ? 1 : 0);
  });
}
