import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { AuthenticationError, OverloadedError, ProtocolError } from "../../src/errors.ts";
import { acceptNode, type Entrance, Refused } from "../../src/link/accept_node.ts";
import type { Connection } from "../../src/link/connection.ts";
import { joinController } from "../../src/link/join_controller.ts";
import { sha256 } from "../../src/internal/digest.ts";
import { AUTH_VERSION, newNonce, Secret } from "../../src/link/secret.ts";
import { memoryPipe } from "../../src/transport/memory.ts";
import {
  decodeChallenge,
  decodeHello,
  decodeRefusal,
  encodeControl,
  type Hello,
} from "../../src/wire/control.ts";
import { type Frame, frame, Kind } from "../../src/wire/frame.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../../src/wire/limits.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { soon } from "../helpers/soon.ts";
import { hello, helloFrame, idle, welcome } from "./handshake_frames.ts";
import { cryptoTest } from "./crypto_work.ts";
import { framed, RawLink } from "./raw_link.ts";

const secret = () => new Secret("what both know");

/** What became of one side. */
interface Side {
  readonly outcome: Promise<Connection>;
  /** What it agreed to, as often as it did. */
  readonly agreed: unknown[];
}

function controller(options: Entrance = { secret: secret() }): Side & { link: RawLink } {
  const [near, far] = memoryPipe();
  const agreed: unknown[] = [];
  const outcome = acceptNode(far, 1 << 20, (got, connection, mac) => {
    agreed.push(got);
    connection.send(framed(Kind.Welcome, encodeControl({ ...welcome, ...(mac && { mac }) })));
    return idle;
  }, options);
  outcome.catch(() => {});
  return { outcome, agreed, link: new RawLink(near) };
}

function node(known: Secret | undefined = secret()): Side & { link: RawLink } {
  const [near, far] = memoryPipe();
  const agreed: unknown[] = [];
  const outcome = joinController(far, hello, (got) => {
    agreed.push(got);
    return idle;
  }, known);
  outcome.catch(() => {});
  return { outcome, agreed, link: new RawLink(near) };
}

async function refusedBy({ outcome, agreed, link }: ReturnType<typeof controller>, code: string) {
  const refusal = decodeRefusal(await link.payload(Kind.Refused));
  assertEquals(refusal.code, code);
  link.connection.close();
  const error = await assertRejects(() => soon(outcome));
  assertEquals(agreed, []);
  return { error, message: refusal.message };
}

async function cutOffBy({ outcome, agreed, link }: ReturnType<typeof controller>) {
  const error = await assertRejects(() => soon(outcome), ProtocolError);
  assertEquals(agreed, []);
  await soon(link.connection.over);
  return error;
}

/** Passes frames on from one to the other until either is closed. */
function relay(from: RawLink, to: RawLink, change: (frame: Frame) => Frame[] = (one) => [one]) {
  return (async () => {
    for (let got = await from.next(); got !== undefined; got = await from.next()) {
      to.send(...change(got));
    }
    await to.connection.flushed();
    to.connection.close();
  })();
}

/** A node and a controller with somebody in between. */
async function between(
  sides: [ReturnType<typeof node>, ReturnType<typeof controller>],
  change: { up?: (frame: Frame) => Frame[]; down?: (frame: Frame) => Frame[] },
): Promise<[joined: PromiseSettledResult<Connection>, accepted: PromiseSettledResult<Connection>]> {
  const [a, b] = sides;
  const relays = [relay(a.link, b.link, change.up), relay(b.link, a.link, change.down)];
  const outcomes = await soon(Promise.allSettled([a.outcome, b.outcome]), 10_000);
  for (const { link } of sides) link.connection.close();
  for (const outcome of outcomes) if (outcome.status === "fulfilled") outcome.value.close();
  await Promise.all(relays);
  return outcomes;
}

const helloWith = (nonce: Uint8Array, fields: Partial<Hello> = {}) =>
  helloFrame({ auth: { version: AUTH_VERSION, nonce }, ...fields });

/** What a node that knows the secret proves. */
async function proofOf(known: Secret, helloSent: Frame, challenge: Uint8Array): Promise<Frame> {
  const { node } = await known.proofs({
    nodeNonce: decodeHello(helloSent.payload).auth!.nonce,
    controllerNonce: decodeChallenge(challenge).nonce,
    hello: await sha256(helloSent.payload),
    challenge: await sha256(challenge),
  });
  return framed(Kind.Proof, encodeControl({ mac: node }));
}

cryptoTest(
  "joinController() and acceptNode() join when both know the secret, and it is never sent",
  async () => {
    const seen: Frame[] = [];
    const spy = (one: Frame) => [seen[seen.push(one) - 1]!];
    const sides = [node(), controller()] as const;
    const outcomes = await between([...sides], { up: spy, down: spy });
    assertEquals(outcomes.map(({ status }) => status), ["fulfilled", "fulfilled"]);
    assertEquals(seen.map(({ kind }) => kind), [
      Kind.Hello,
      Kind.Challenge,
      Kind.Proof,
      Kind.Welcome,
    ]);
    assertEquals([sides[0].agreed.length, sides[1].agreed.length], [1, 1]);
    const bytes = seen.map(({ payload }) => new TextDecoder().decode(payload)).join();
    assert(!bytes.includes("what both know"));
  },
);

cryptoTest(
  "acceptNode() refuses a node with another secret, and tells of the wrong proof once",
  async () => {
    let wrong = 0;
    const side = controller({ secret: secret(), wrongProof: () => wrong++ });
    const sent = helloWith(newNonce());
    side.link.send(sent);
    const challenge = await side.link.payload(Kind.Challenge);
    side.link.send(await proofOf(new Secret("a guess"), sent, challenge));
    const { error, message } = await refusedBy(side, "AUTHENTICATION");
    assertInstanceOf(error, Refused);
    assert(message.includes("secret"), message);
    assertEquals(wrong, 1);
  },
);

cryptoTest(
  "joinController() rejects with AuthenticationError when the secrets differ",
  async () => {
    const sides = [node(new Secret("a guess")), controller()] as const;
    const [joined, accepted] = await between([...sides], {});
    assert(joined.status === "rejected" && accepted.status === "rejected");
    assertInstanceOf(joined.reason, AuthenticationError);
    assertEquals([sides[0].agreed, sides[1].agreed], [[], []]);
  },
);

cryptoTest(
  "acceptNode() refuses a node without a secret before it says anything else",
  async () => {
    const side = controller();
    side.link.send(helloFrame());
    await refusedBy(side, "AUTHENTICATION");
  },
);

cryptoTest("acceptNode() refuses a node with a secret when it has none itself", async () => {
  const side = controller({});
  side.link.send(helloWith(newNonce()));
  await refusedBy(side, "AUTHENTICATION");
});

cryptoTest("acceptNode() refuses another version of authentication", async () => {
  for (const version of [0, AUTH_VERSION + 1]) {
    const side = controller();
    side.link.send(helloFrame({ auth: { version, nonce: newNonce() } }));
    await refusedBy(side, "AUTHENTICATION");
  }
});

cryptoTest("acceptNode() refuses the replay of a handshake that it has accepted", async () => {
  const recorded: Frame[] = [];
  const record = (one: Frame) => [recorded[recorded.push(one) - 1]!];
  const [joined] = await between([node(), controller()], { up: record });
  assertEquals([joined.status, recorded.length], ["fulfilled", 2]);
  const side = controller();
  side.link.send(recorded[0]!);
  await side.link.payload(Kind.Challenge);
  side.link.send(recorded[1]!);
  await refusedBy(side, "AUTHENTICATION");
});

cryptoTest("acceptNode() refuses its own nonce, challenge or proof sent back", async () => {
  const reflections = [
    (challenge: Uint8Array) => decodeChallenge(challenge).nonce,
    (challenge: Uint8Array) => sha256(challenge),
  ];
  for (const reflect of reflections) {
    const side = controller();
    side.link.send(helloWith(newNonce()));
    const mac = await reflect(await side.link.payload(Kind.Challenge));
    side.link.send(framed(Kind.Proof, encodeControl({ mac })));
    await refusedBy(side, "AUTHENTICATION");
  }
  const side = controller();
  side.link.send(helloWith(newNonce()));
  side.link.send(framed(Kind.Challenge, await side.link.payload(Kind.Challenge)));
  await cutOffBy(side);
});

cryptoTest("acceptNode() refuses the proof that a controller would give", async () => {
  const side = controller();
  const sent = helloWith(newNonce());
  side.link.send(sent);
  const challenge = await side.link.payload(Kind.Challenge);
  const { controller: mac } = await secret().proofs({
    nodeNonce: decodeHello(sent.payload).auth!.nonce,
    controllerNonce: decodeChallenge(challenge).nonce,
    hello: await sha256(sent.payload),
    challenge: await sha256(challenge),
  });
  side.link.send(framed(Kind.Proof, encodeControl({ mac })));
  await refusedBy(side, "AUTHENTICATION");
});

cryptoTest("joinController() refuses its own proof sent back in a WELCOME", async () => {
  const side = node();
  side.link.send(framed(Kind.Challenge, encodeControl({ nonce: newNonce() })));
  await side.link.payload(Kind.Hello);
  const { mac } = { mac: (await side.link.payload(Kind.Proof)).slice(-32) };
  side.link.send(framed(Kind.Welcome, encodeControl({ ...welcome, mac })));
  await assertRejects(() => soon(side.outcome), AuthenticationError);
  assertEquals(side.agreed, []);
});

const changes: [what: string, change: Partial<Hello>][] = [
  ["process", { process: "another" }],
  ["instance", { instance: "another" }],
  ["callbacks", { callbacks: ["add", "more"] }],
  ["maxFrameBytes", { maxFrameBytes: 1 << 21 }],
  ["nonce", { auth: { version: AUTH_VERSION, nonce: newNonce() } }],
];

for (const [what, fields] of changes) {
  cryptoTest(`acceptNode() refuses a node whose HELLO got another ${what} under way`, async () => {
    const sides = [node(), controller()] as const;
    const [joined, accepted] = await between([...sides], {
      up: (one) =>
        one.kind !== Kind.Hello
          ? [one]
          : [framed(Kind.Hello, encodeControl({ ...decodeHello(one.payload), ...fields }))],
    });
    assert(joined.status === "rejected" && accepted.status === "rejected");
    assertInstanceOf(joined.reason, AuthenticationError);
    assertEquals([sides[0].agreed, sides[1].agreed], [[], []]);
  });
}

cryptoTest("acceptNode() refuses a node whose CHALLENGE was changed under way", async () => {
  const changed = framed(Kind.Challenge, encodeControl({ nonce: newNonce() }));
  const [joined] = await between([node(), controller()], {
    down: (one) => [one.kind === Kind.Challenge ? changed : one],
  });
  assert(joined.status === "rejected");
  assertInstanceOf(joined.reason, AuthenticationError);
});

cryptoTest("joinController() refuses a controller that wants no proof, or gives none", async () => {
  const first = node();
  first.link.send(framed(Kind.Welcome, encodeControl(welcome)));
  await assertRejects(() => soon(first.outcome), AuthenticationError);
  for (const extra of [{}, { mac: new Uint8Array(32) }]) {
    const side = node();
    side.link.send(framed(Kind.Challenge, encodeControl({ nonce: newNonce() })));
    await side.link.payload(Kind.Hello);
    await side.link.payload(Kind.Proof);
    side.link.send(framed(Kind.Welcome, encodeControl({ ...welcome, ...extra })));
    await assertRejects(() => soon(side.outcome), AuthenticationError);
    assertEquals(side.agreed, []);
  }
  assertEquals(first.agreed, []);
});

cryptoTest(
  "joinController() with a secret is not talked out of it by a downgraded HELLO",
  async () => {
    const sides = [node(), controller({})] as const;
    const [joined] = await between([...sides], {
      up: (one) => [one.kind === Kind.Hello ? helloFrame() : one],
    });
    assert(joined.status === "rejected");
    assertInstanceOf(joined.reason, AuthenticationError);
    assertEquals(sides[0].agreed, []);
  },
);

cryptoTest("joinController() without a secret takes no CHALLENGE", async () => {
  const [near, far] = memoryPipe();
  const outcome = joinController(far, hello, () => idle);
  outcome.catch(() => {});
  new RawLink(near).send(framed(Kind.Challenge, encodeControl({ nonce: newNonce() })));
  await assertRejects(() => soon(outcome), ProtocolError);
});

const tooSoon: [what: string, one: () => Frame][] = [
  ["a second HELLO", () => helloWith(newNonce())],
  ["a PROOF", () => framed(Kind.Proof, encodeControl({ mac: newNonce() }))],
  ["an OFFER", () => framed(Kind.Offer, encodeControl(["x"]))],
  ["a CALL", () => frame(Kind.Call, { call: 1, peer: 1, name: 1 })],
  ["a PING", () => frame(Kind.Ping)],
];

for (const [what, one] of tooSoon) {
  cryptoTest(`acceptNode() cuts off ${what} before the CHALLENGE`, async () => {
    const side = controller();
    side.link.send(helloWith(newNonce()), one());
    await cutOffBy(side);
  });

  if (what !== "a PROOF") {
    cryptoTest(`acceptNode() cuts off ${what} instead of the PROOF`, async () => {
      const side = controller();
      side.link.send(helloWith(newNonce()));
      await side.link.payload(Kind.Challenge);
      side.link.send(one());
      await cutOffBy(side);
    });
  }

  cryptoTest(`acceptNode() cuts off ${what} while it decides, and admits nobody then`, async () => {
    const decided = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const side = controller({
      secret: secret(),
      permit: () => {
        asked.resolve();
        return decided.promise;
      },
    });
    const sent = helloWith(newNonce());
    side.link.send(sent);
    side.link.send(await proofOf(secret(), sent, await side.link.payload(Kind.Challenge)), one());
    await cutOffBy(side);
    await soon(asked.promise);
    decided.resolve();
    await side.link.next();
    assertEquals(side.agreed, []);
  });
}

cryptoTest("acceptNode() cuts off what is no PROOF, even with the right proof in it", async () => {
  const side = controller();
  const sent = helloWith(newNonce());
  side.link.send(sent);
  const { payload } = await proofOf(secret(), sent, await side.link.payload(Kind.Challenge));
  side.link.send(framed(Kind.Offer, payload));
  await cutOffBy(side);
});

cryptoTest("joinController() cuts off frames before WELCOME", async () => {
  const challenge = framed(Kind.Challenge, encodeControl({ nonce: newNonce() }));
  const early = [challenge, frame(Kind.Directory), framed(Kind.Welcome, encodeControl(welcome))];
  for (const second of early) {
    const side = node();
    side.link.send(challenge, second);
    await assertRejects(() => soon(side.outcome), ProtocolError);
    assertEquals(side.agreed, []);
  }
  const side = node();
  side.link.send(frame(Kind.Directory));
  await assertRejects(() => soon(side.outcome), ProtocolError);
});

const garbage = [
  new Uint8Array(0),
  Uint8Array.of(0xc1),
  encodeControl(["x"]),
  encodeControl({ nonce: new Uint8Array(31), mac: new Uint8Array(31) } as never),
  encodeControl({ nonce: new Uint8Array(33), mac: new Uint8Array(33) } as never),
  encodeControl({ nonce: "n".repeat(32), mac: "m".repeat(32) } as never),
  new Uint8Array(4000).fill(0x91),
];

cryptoTest("acceptNode() refuses a PROOF or an auth of garbage", async () => {
  for (const payload of garbage) {
    const side = controller();
    side.link.send(helloWith(newNonce()));
    await side.link.payload(Kind.Challenge);
    side.link.send(framed(Kind.Proof, payload));
    await refusedBy(side, "PROTOCOL");
  }
  for (const auth of [1, [], {}, { version: 1 }, { version: "1", nonce: newNonce() }]) {
    const side = controller();
    side.link.send(helloFrame({ auth: auth as never }));
    await refusedBy(side, "PROTOCOL");
  }
});

cryptoTest("joinController() rejects with ProtocolError when CHALLENGE is garbage", async () => {
  for (const payload of garbage) {
    const side = node();
    side.link.send(framed(Kind.Challenge, payload));
    await assertRejects(() => soon(side.outcome), ProtocolError);
  }
});

cryptoTest("acceptNode() asks nobody about a node that has proved nothing, and obeys", async () => {
  let asked = 0;
  const permit = () => {
    asked++;
    return Promise.reject(new Refused("OVERLOADED", "not today"));
  };
  const stranger = controller({ secret: secret(), permit });
  stranger.link.send(helloFrame());
  await refusedBy(stranger, "AUTHENTICATION");
  assertEquals(asked, 0);
  const sides = [node(), controller({ secret: secret(), permit })] as const;
  const [joined] = await between([...sides], {});
  assert(joined.status === "rejected");
  assertInstanceOf(joined.reason, OverloadedError);
  assertEquals([asked, sides[1].agreed], [1, []]);
});

cryptoTest("acceptNode() proves to a node of which it asked that it knows the secret", async () => {
  const permit = () => Promise.resolve();
  const outcomes = await between([node(), controller({ secret: secret(), permit })], {});
  assertEquals(outcomes.map(({ status }) => status), ["fulfilled", "fulfilled"]);
});

cryptoTest("acceptNode() lets a node wait for its turn before the CHALLENGE", async () => {
  const turn = Promise.withResolvers<void>();
  const side = controller({ secret: secret(), turn: () => turn.promise });
  side.link.send(helloWith(newNonce()));
  const challenged = side.link.next();
  let came = false;
  challenged.then(() => came = true);
  await sha256(new Uint8Array(1)); // as long as a challenge would take
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(came, false);
  turn.resolve();
  assertEquals((await challenged)?.kind, Kind.Challenge);
  side.link.connection.close();
  await assertRejects(() => soon(side.outcome));
});

cryptoTest("acceptNode() gives the handshake five seconds in all", async () => {
  using time = new FakeTime();
  const never = Promise.withResolvers<void>();
  const side = controller({ secret: secret(), turn: () => never.promise });
  side.link.send(helloWith(newNonce()));
  await time.tickAsync(HANDSHAKE_TIMEOUT_MS);
  await assertRejects(() => side.outcome, Error, `${HANDSHAKE_TIMEOUT_MS} ms`);
  assertEquals(time.pending, 0);
});
