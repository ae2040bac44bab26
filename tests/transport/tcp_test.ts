import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "../../src/errors.ts";
import { tcpTransport } from "../../src/transport/tcp.ts";
import { isLoop } from "../../src/transport/transport.ts";
import { SignalListeners } from "../helpers/signal_listeners.ts";
import { soon } from "../helpers/soon.ts";
import { FakeTime } from "../helpers/fake_time.ts";

Deno.test("tcpTransport() lets the system choose a port when it is 0, and tells it", async () => {
  const first = await tcpTransport("127.0.0.1", 0).listen();
  const second = await tcpTransport("127.0.0.1", 0).listen();
  try {
    assertEquals(first.address.host, "127.0.0.1");
    assert(first.address.port! > 0);
    assert(first.address.port !== second.address.port);
  } finally {
    first.close();
    second.close();
  }
});

Deno.test("tcpTransport() gives a ConnectionError with a cause when the port is taken", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const transport = tcpTransport("127.0.0.1", taken.addr.port);
  const error = await assertRejects(() => transport.listen(), ConnectionError, "another program");
  assert(error.cause instanceof Deno.errors.AddrInUse);
  assert(error.message.includes(`127.0.0.1:${taken.addr.port}`));
});

Deno.test("tcpTransport() gives a ConnectionError when nobody listens there", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await assertRejects(
    () => tcpTransport("127.0.0.1", port).connect(),
    ConnectionError,
    `127.0.0.1:${port}`,
  );
  assert(error.cause instanceof Error);
});

Deno.test("tcpTransport() gives a ConnectionError when the host is not one of this machine", async () => {
  await assertRejects(() => tcpTransport("192.0.2.1", 0).listen(), ConnectionError, "192.0.2.1:0");
});

Deno.test("tcpTransport() describes its address", () => {
  assertEquals(tcpTransport("localhost", 8888).description, "localhost:8888");
});

Deno.test("tcpTransport() takes no connection that the system has led back to itself", async () => {
  const { connect } = Deno;
  const address: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 40_000 };
  let closed = 0;
  const socket = { localAddr: address, remoteAddr: address, close: () => closed++ };
  Object.assign(Deno, { connect: () => Promise.resolve(socket) });
  try {
    const there = tcpTransport("127.0.0.1", 40_000);
    await assertRejects(() => there.connect(), ConnectionError, "led back to itself");
    assertEquals(closed, 1);
  } finally {
    Object.assign(Deno, { connect });
  }
});

Deno.test("isLoop() tells a loop from a connection to the same port of another host, and from none", () => {
  const here = { hostname: "127.0.0.1", port: 40_000 };
  assertEquals(isLoop(here, { ...here }), true);
  assertEquals(isLoop(here, { ...here, port: 40_001 }), false);
  assertEquals(isLoop(here, { ...here, hostname: "192.0.2.1" }), false);
  const none = { hostname: undefined, port: undefined };
  assertEquals(isLoop(none, none), false);
});

/** `Deno.connect` in a test's hands. */
function connecting() {
  const { connect } = Deno;
  const made = Promise.withResolvers<unknown>();
  let signal: AbortSignal | undefined;
  const fake = (options: { signal?: AbortSignal }) => {
    signal = options.signal;
    signal?.addEventListener("abort", () => made.reject(signal!.reason));
    return made.promise;
  };
  Object.assign(Deno, { connect: fake });
  return {
    made,
    isToldToGiveUp: () => signal?.aborted,
    [Symbol.dispose]: () => void Object.assign(Deno, { connect }),
  };
}

Deno.test("tcpTransport() closes a connection that is made just when it is given up", async () => {
  using time = new FakeTime();
  using attempt = connecting();
  const transport = tcpTransport("127.0.0.1", 40_000);
  const stop = new AbortController();
  const given = transport.connect(stop.signal);
  stop.abort();
  await assertRejects(() => given, ConnectionError, "127.0.0.1:40000");
  assertEquals(attempt.isToldToGiveUp(), false); // it would lose the connection
  const ended = transport.end!();
  let closed = 0;
  attempt.made.resolve({ close: () => closed++ });
  await ended;
  assertEquals([closed, time.pending], [1, 0]);
});

Deno.test("tcpTransport() tells the runtime to give up if nobody answers, and waits for that", async () => {
  using time = new FakeTime();
  using attempt = connecting();
  const transport = tcpTransport("127.0.0.1", 40_000);
  const stop = new AbortController();
  const given = transport.connect(stop.signal);
  stop.abort();
  await assertRejects(() => given, ConnectionError);
  const ended = transport.end!();
  await time.tickAsync(200);
  await ended;
  assertEquals([attempt.isToldToGiveUp(), time.pending], [true, 0]);
});

Deno.test("tcpTransport() gives up at once when it was told to before it began", async () => {
  using time = new FakeTime();
  using attempt = connecting();
  const transport = tcpTransport("127.0.0.1", 40_000);
  await assertRejects(() => soon(transport.connect(AbortSignal.abort())), ConnectionError);
  attempt.made.reject(new Error("refused"));
  await transport.end!();
  assertEquals(time.pending, 0);
});

Deno.test("tcpTransport() leaves no listener on its signal, whether it has connected or not", async () => {
  using signals = new SignalListeners();
  const listener = await tcpTransport("127.0.0.1", 0).listen();
  const transport = tcpTransport("127.0.0.1", listener.address.port!);
  const { signal } = new AbortController();
  const { stream } = await transport.connect(signal);
  stream.close();
  (await listener.accept())?.close();
  listener.close();
  await assertRejects(() => transport.connect(signal), ConnectionError);
  await transport.end!();
  assert(signals.added >= 2);
  assertEquals(signals.left, 0);
});

Deno.test("tcpTransport() has small writes sent at once, on both sides", async () => {
  const listener = await tcpTransport("127.0.0.1", 0).listen();
  const address = { hostname: "127.0.0.1", port: listener.address.port! };
  using first = await Deno.connect(address);
  const prototype = Object.getPrototypeOf(first);
  const { setNoDelay } = prototype;
  const set: [port: number, isOn: unknown][] = [];
  prototype.setNoDelay = function (this: Deno.TcpConn, isOn = true) {
    set.push([this.localAddr.port === address.port ? 1 : 2, isOn]);
    return setNoDelay.call(this, isOn);
  };
  try {
    (await listener.accept())?.close();
    assertEquals(set, [[1, true]]);
    const { stream } = await tcpTransport(address.hostname, address.port).connect();
    assertEquals(set, [[1, true], [2, true]]);
    stream.close();
    (await listener.accept())?.close();
  } finally {
    prototype.setNoDelay = setNoDelay;
    listener.close();
  }
});

Deno.test("tcpTransport() lets as many connections wait as may come at once", async () => {
  const { listen } = Deno;
  const given: unknown[] = [];
  const fake = (options: Deno.TcpListenOptions & { transport?: "tcp" }) => {
    given.push((options as { tcpBacklog?: number }).tcpBacklog);
    return listen(options);
  };
  Object.assign(Deno, { listen: fake });
  try {
    (await tcpTransport("127.0.0.1", 0).listen()).close();
    assertEquals(given, [4_096]);
  } finally {
    Object.assign(Deno, { listen });
  }
});

Deno.test("tcpTransport() goes on when a connection has ended before it could be set up, as on macOS", async () => {
  const told: string[] = [];
  const listener = await tcpTransport("127.0.0.1", 0).listen((error) => told.push(error.message));
  using first = await Deno.connect({ hostname: "127.0.0.1", port: listener.address.port! });
  const prototype = Object.getPrototypeOf(first);
  const { setNoDelay } = prototype;
  prototype.setNoDelay = () => {
    prototype.setNoDelay = setNoDelay;
    throw new TypeError("Invalid argument");
  };
  try {
    const accepting = listener.accept();
    assertEquals(await first.read(new Uint8Array(1)), null);
    using _second = await Deno.connect({ hostname: "127.0.0.1", port: listener.address.port! });
    const accepted = await accepting;
    accepted?.close();
    assertEquals([accepted === null, told], [false, ["Invalid argument"]]);
  } finally {
    prototype.setNoDelay = setNoDelay;
    listener.close();
  }
});
