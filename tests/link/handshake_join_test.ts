import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  AuthenticationError,
  ConnectionError,
  DuplicateProcessError,
  OverloadedError,
  ProtocolError,
} from "../../src/errors.ts";
import { acceptNode } from "../../src/link/accept_node.ts";
import { asConnectionError, isFinal, joinController } from "../../src/link/join_controller.ts";
import { newNonce, Secret } from "../../src/link/secret.ts";
import { decodeHello, encodeControl } from "../../src/wire/control.ts";
import { type Frame, frame, Kind } from "../../src/wire/frame.ts";
import { JOIN_TIMEOUT_MS, MAX_DIRECTORY_BYTES } from "../../src/wire/limits.ts";
import { PREFACE } from "../../src/wire/preface.ts";
import { memoryPipe } from "../../src/transport/memory.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { toBytes } from "../wire/frames.ts";
import { FakeStream, turn } from "./fake_stream.ts";
import { hello, helloFrame, idle, sends, sent, welcome, welcomeFrame } from "./handshake_frames.ts";

Deno.test("joinController() and acceptNode() join over a pipe", async () => {
  const [near, far] = memoryPipe();
  const seen: unknown[] = [];
  const [joined, accepted] = await Promise.all([
    joinController(near, hello, (got) => {
      seen.push(got);
      return idle;
    }),
    acceptNode(far, 1 << 20, (got, connection) => {
      seen.push(got);
      connection.send(welcomeFrame());
      return idle;
    }),
  ]);
  assertEquals(seen, [hello, welcome]);
  joined.close();
  await accepted.over;
});

Deno.test("joinController() sends the preface and HELLO in one write, before anything came", async () => {
  const stream = new FakeStream();
  const joining = joinController(stream, hello, () => idle);
  await turn();
  assertEquals(stream.writes.length, 1);
  const [first, ...more] = sent(stream);
  assertEquals([first?.kind, more.length], [Kind.Hello, 0]);
  assertEquals(decodeHello(first!.payload), hello);
  sends(stream, welcomeFrame());
  (await joining).close();
});

Deno.test("joinController() gives frames right behind WELCOME to the handler that it was given", async () => {
  const stream = new FakeStream();
  const kinds: number[] = [];
  sends(stream, welcomeFrame(), frame(Kind.Ping), frame(Kind.Directory));
  const connection = await joinController(stream, hello, (got, connection) => {
    assertEquals(got, welcome);
    connection.send(frame(Kind.Pong));
    return { onFrame: ({ kind }) => kinds.push(kind), onClose() {} };
  });
  await turn();
  assertEquals(kinds, [Kind.Ping, Kind.Directory]);
  assertEquals(sent(stream).map(({ kind }) => kind), [Kind.Hello, Kind.Pong]);
  connection.close();
});

Deno.test("joinController() takes a directory that is larger than what its node takes of others", async () => {
  const stream = new FakeStream();
  const payload = new Uint8Array(16 * hello.maxFrameBytes);
  const sizes: number[] = [];
  sends(stream, welcomeFrame(), frame(Kind.Directory, { payload }));
  const connection = await joinController(stream, hello, () => ({
    onFrame: ({ payload }) => sizes.push(payload.length),
    onClose() {},
  }));
  while (sizes.length === 0 && !connection.closed) await turn();
  assertEquals([sizes, connection.closed], [[payload.length], false]);
  connection.close();
});

Deno.test("joinController() takes frames of 32 MiB, and no larger ones", async () => {
  const most = 2 * MAX_DIRECTORY_BYTES;
  for (const [bytes, Class] of [[most, ConnectionError], [most + 1, ProtocolError]] as const) {
    const stream = new FakeStream();
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, bytes - 4);
    stream.feed(PREFACE, length, null);
    await assertRejects(() => joinController(stream, hello, () => idle), Class);
  }
});

Deno.test("joinController() says that it leaves when it is not wanted any more, and waits for the end", async () => {
  const stream = new FakeStream();
  sends(stream, welcomeFrame(), frame(Kind.Ping), frame(Kind.Directory));
  const connection = await joinController(stream, hello, () => undefined);
  await turn();
  assertEquals(sent(stream).map(({ kind }) => kind), [Kind.Hello, Kind.Leave]);
  assertEquals(stream.closes, 0);
  stream.feed(null);
  await connection.over;
  assertEquals(stream.closes, 1);
});

const refusals: [code: string, Class: new (message: string) => Error][] = [
  ["DUPLICATE_PROCESS", DuplicateProcessError],
  ["AUTHENTICATION", AuthenticationError],
  ["OVERLOADED", OverloadedError],
  ["PROTOCOL", ProtocolError],
  ["of later days", ProtocolError],
];

for (const [code, Class] of refusals) {
  Deno.test(`joinController() rejects with ${Class.name} when it is refused by ${code}`, async () => {
    const stream = new FakeStream();
    const payload = encodeControl({ code, message: "own words" });
    sends(stream, frame(Kind.Refused, { payload }));
    const error = await assertRejects(() => joinController(stream, hello, () => idle), Class);
    const isKnown = Class !== ProtocolError;
    assertEquals(error.message, isKnown ? "own words" : "The controller refused: own words");
    if (error instanceof DuplicateProcessError) assertEquals(error.processName, hello.process);
    assertEquals(stream.closes, 1);
  });
}

const wrongAnswers: [what: string, answer: Frame][] = [
  ["a PING", frame(Kind.Ping)],
  ["a DIRECTORY", frame(Kind.Directory)],
  ["a HELLO", helloFrame()],
  ["another frame with the content of a WELCOME", { ...welcomeFrame(), kind: Kind.Offer }],
  ["a WELCOME without content", frame(Kind.Welcome)],
  ["a REFUSED without content", frame(Kind.Refused)],
];

for (const [what, answer] of wrongAnswers) {
  Deno.test(`joinController() rejects with a ProtocolError when the answer is ${what}`, async () => {
    const stream = new FakeStream();
    sends(stream, answer);
    await assertRejects(() => joinController(stream, hello, () => idle), ProtocolError);
    assertEquals(stream.closes, 1);
  });
}

Deno.test("joinController() rejects when the other side is something else or ends", async () => {
  const ends: [bytes: Uint8Array[], Class: new (message: string) => Error][] = [
    [[new TextEncoder().encode("HTTP/1.1 400 Bad Request")], ProtocolError],
    [[], ConnectionError],
    [[PREFACE], ConnectionError],
    [[PREFACE, toBytes(welcomeFrame()).subarray(0, 30)], ConnectionError],
  ];
  for (const [bytes, Class] of ends) {
    const stream = new FakeStream();
    stream.feed(...bytes, null);
    await assertRejects(() => joinController(stream, hello, () => idle), Class);
    assertEquals(stream.closes, 1);
  }
});

Deno.test("joinController() rejects with what onWelcome() throws, and closes", async () => {
  const own = new Error("own");
  const stream = new FakeStream();
  sends(stream, welcomeFrame());
  const joining = joinController(stream, hello, () => {
    throw own;
  });
  assertStrictEquals(await assertRejects(() => joining), own);
  assertEquals(stream.closes, 1);
});

Deno.test("joinController() gives a silent controller five seconds, and leaves no timer", async () => {
  for (const bytes of [[], [PREFACE], [PREFACE, toBytes(welcomeFrame()).subarray(0, 30)]]) {
    using time = new FakeTime();
    const stream = new FakeStream();
    stream.feed(...bytes);
    let ended = false;
    const joining = joinController(stream, hello, () => idle).finally(() => ended = true);
    const rejects = assertRejects(() => joining, ConnectionError, `${JOIN_TIMEOUT_MS} ms`);
    await time.tickAsync(JOIN_TIMEOUT_MS - 1);
    assertEquals([ended, stream.closes], [false, 0]);
    await time.tickAsync(1);
    await rejects;
    assertEquals([stream.closes, time.pending], [1, 0]);
  }
});

Deno.test("joinController() and acceptNode() leave no timer when they end in time", async () => {
  using time = new FakeTime();
  const [joined, refused, accepted] = [new FakeStream(), new FakeStream(), new FakeStream()];
  sends(joined, welcomeFrame());
  refused.feed(null);
  sends(accepted, helloFrame());
  const outcomes = Promise.allSettled([
    joinController(joined, hello, () => idle),
    joinController(refused, hello, () => idle),
    acceptNode(accepted, 1 << 20, () => idle),
  ]);
  await time.runMicrotasks();
  const [first, second, third] = await outcomes;
  assertEquals([first.status, second.status, third.status], ["fulfilled", "rejected", "fulfilled"]);
  assertEquals(time.pending, 0);
  await time.tickAsync(2 * JOIN_TIMEOUT_MS);
  assertEquals([joined.closes, accepted.closes], [0, 0]);
  for (const outcome of [first, third]) {
    if (outcome.status === "fulfilled") outcome.value.close();
  }
});

const finality: [error: unknown, final: boolean][] = [
  [new DuplicateProcessError("m"), true],
  [new AuthenticationError("m"), true],
  [new ProtocolError("m"), true],
  [new ConnectionError("m", { cause: new Deno.errors.NotCapable("m") }), true],
  [new ConnectionError("m", { cause: new Deno.errors.ConnectionRefused("m") }), false],
  [new ConnectionError("m"), false],
  [new OverloadedError("m"), false],
  [new Error("m"), false],
];

for (const [error, final] of finality) {
  const { name, cause } = error as Error;
  const what = cause instanceof Error ? `${name} by ${cause.name}` : name;
  Deno.test(`isFinal() says that trying again after ${what} ${final ? "is of no" : "may be of"} use`, () => {
    assertEquals(isFinal(error, false), final);
    assertEquals(isFinal(error, true), final && !(error instanceof ProtocolError));
  });
}

Deno.test("asConnectionError() leaves our errors alone and explains those of sockets", () => {
  const ours = new DuplicateProcessError("taken");
  assertStrictEquals(asConnectionError(ours), ours);
  const cause = new Error("Connection reset by peer (os error 104)");
  const error = asConnectionError(cause);
  assert(error instanceof ConnectionError);
  assertEquals(error.message, `The connection to the controller broke: ${cause.message}`);
  assertStrictEquals(error.cause, cause);
});

Deno.test("joinController() with a secret proves nothing to what only looks like a CHALLENGE", async () => {
  const stream = new FakeStream();
  const payload = encodeControl({ nonce: newNonce() });
  sends(stream, frame(Kind.Directory, { payload }));
  const joining = joinController(stream, hello, () => idle, new Secret("s"));
  await assertRejects(() => joining, ProtocolError, "is not allowed during the handshake");
  assertEquals([sent(stream).map(({ kind }) => kind), stream.closes], [[Kind.Hello], 1]);
});
