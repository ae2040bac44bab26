import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { CallbackRegistry, Global, type GlobalOptions, InitializationError } from "../mod.ts";
import { processCallbacks } from "../src/callback.ts";
import { resolveOptions } from "../src/resolve_options.ts";
import { DEFAULT_MAX_FRAME_BYTES } from "../src/wire/limits.ts";
import { RecordingLogger } from "./helpers/recording_logger.ts";

/** What the constructor of `Global` throws, at once. */
function refusal(options: unknown): InitializationError {
  const error = assertThrows(() => new Global(options as GlobalOptions), InitializationError);
  assertEquals(error.code, "INITIALIZATION");
  return error;
}

function refused(name: string, values: readonly unknown[], rest: GlobalOptions = {}): void {
  for (const value of values) {
    const { message } = refusal({ host: "localhost", port: 1, ...rest, [name]: value });
    assert(message.includes(name), message);
  }
}

const NOTHING = Object.create(null);

Deno.test("resolveOptions() fills in the defaults", () => {
  const options = resolveOptions({});
  const { initController, initNode, address, defaultTimeoutMs, callbacks, reconnect } = options;
  assertEquals([initController, initNode], [false, true]);
  assertEquals(address, { kind: "unix", directory: undefined });
  assertEquals(defaultTimeoutMs, Infinity);
  assertStrictEquals(callbacks, processCallbacks);
  assertEquals(reconnect, { minDelayMs: 100, maxDelayMs: 2000, maxAttempts: Infinity });
  assertEquals(options.heartbeat, { intervalMs: 5000, timeoutMs: 15_000 });
  assertEquals(options.maxFrameBytes, DEFAULT_MAX_FRAME_BYTES);
  assertEquals(options.hooks, {});
});

Deno.test("resolveOptions() takes a secret that is text, and never shows it", () => {
  assertEquals(resolveOptions({ secret: "s" }).security.secret, "s");
  assertEquals(resolveOptions({ secret: undefined }).security.secret, undefined);
  refused("secret", ["", 5, null, new Uint8Array(32), "\ud800"]);
  assert(!refusal({ secret: "hush\ud800" }).message.includes("hush"));
});

const CERT = "-----BEGIN CERTIFICATE-----";
const KEY = "-----BEGIN EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----";

Deno.test("resolveOptions() takes tls as it goes with the process's part", () => {
  const tls = (options: GlobalOptions) => resolveOptions(options).security.tls;
  const controller = { initController: true, host: "localhost" };
  assertEquals(tls({ ...controller, tls: { cert: CERT, key: KEY } }), { cert: CERT, key: KEY });
  assertEquals(tls({ port: 1, tls: {} }), {});
  assertEquals(tls({ port: 1, tls: { caCerts: [CERT, CERT] } }), { caCerts: [CERT, CERT] });
  assertEquals(tls({ port: 1, tls: undefined }), undefined);
  const wrongAtNode = [null, true, CERT, { cert: CERT, key: KEY }, { insecure: true }];
  refused("tls", [...wrongAtNode, { caCerts: CERT }, { caCerts: [KEY] }, { caCerts: [5] }]);
  const wrongAtController = [{}, { cert: CERT }, { key: KEY }, { cert: KEY, key: KEY }];
  refused(
    "tls",
    [...wrongAtController, { caCerts: [CERT] }, { cert: CERT, key: "hush" }],
    controller,
  );
  assert(!refusal({ ...controller, tls: { cert: CERT, key: "hush" } }).message.includes("hush"));
  for (const place of [{ unixSockPath: "dir" }, {}, { url: "wss://example.org" }]) {
    assert(refusal({ ...place, tls: {} }).message.includes("UNIX"));
  }
});

const OPEN = [
  ...["0.0.0.0", "::", "192.168.1.2", "128.0.0.1", "1", "fe80::1", "[2001:db8::1]", "::1:2"],
  ...["example.org", "127.0.0.1.example.org", "x127.0.0.1", "127-0-0-1"],
];
const PRIVATE = [
  "localhost",
  "LOCALHOST",
  "127.0.0.1",
  "127.1.2.3",
  "::1",
  "[::1]",
  "0:0:0:0:0:0:0:1",
];

Deno.test("resolveOptions() refuses a controller that everybody could join, if not told to", () => {
  const controller = (host: string): GlobalOptions => ({ initController: true, host });
  for (const host of OPEN) {
    const { message } = refusal(controller(host));
    for (const word of [host, "secret", "tls", "authorize", "insecure: true"]) {
      assert(message.includes(word), message);
    }
    refusal({ ...controller(host), tls: { cert: CERT, key: KEY } });
    resolveOptions({ ...controller(host), secret: "s" });
    resolveOptions({ ...controller(host), insecure: true });
    resolveOptions({ host, port: 1 }); // a node
    const web: GlobalOptions = { initController: true, web: { host } };
    for (const word of [host, "web.host", "web.tokens"]) {
      assert(refusal({ ...web, authorize: () => true }).message.includes(word));
    }
    resolveOptions({ ...web, secret: "s" });
    resolveOptions({ ...web, insecure: true });
    resolveOptions({ initController: true, web: { host, tokens: ["t"] } });
  }
  for (const host of PRIVATE) {
    resolveOptions(controller(host));
    resolveOptions({ initController: true, web: { host } });
  }
  resolveOptions({ initController: true, web: true }); // another server hands its requests on
  resolveOptions({ initController: true });
  resolveOptions({ initController: true, port: 1 });
  refused("insecure", ["yes", 1, null], { initController: true });
});

Deno.test("resolveOptions() takes authorize where the controller is", () => {
  const authorize = () => true;
  const controller: GlobalOptions = { initController: true, host: "0.0.0.0" };
  const secure = { ...controller, authorize, tls: { cert: CERT, key: KEY } };
  assertStrictEquals(resolveOptions(secure).security.authorize, authorize);
  refusal({ ...controller, authorize }); // it could not tell who it is that joins
  refused("authorize", [null, true, "yes", {}], { initController: true });
  refused("authorize", [authorize]);
});

Deno.test("resolveOptions() makes a process name that no other has", () => {
  const names = Array.from({ length: 10 }, () => resolveOptions({}).processName);
  assertEquals(new Set(names).size, 10);
});

Deno.test("resolveOptions() takes undefined for an option that is left out", () => {
  const options = resolveOptions({ host: undefined, port: undefined, unixSockPath: undefined });
  assertEquals(options.address, { kind: "unix", directory: undefined });
});

Deno.test("resolveOptions() reads the address", () => {
  const address = (options: GlobalOptions) => resolveOptions(options).address;
  assertEquals(address({ host: "::1", port: 5 }), { kind: "tcp", host: "::1", port: 5 });
  assertEquals(address({ port: 5 }), { kind: "tcp", host: "localhost", port: 5 });
  assertEquals(address({ host: "localhost", initController: true }), {
    kind: "tcp",
    host: "localhost",
    port: 0,
  });
  assertEquals(address({ unixSockPath: "dir" }), { kind: "unix", directory: "dir" });
});

Deno.test("resolveOptions() takes what is given in place of the defaults", () => {
  const callbacks = new CallbackRegistry();
  const logger = new RecordingLogger();
  const onInit = () => {};
  const options = resolveOptions({
    processName: "p",
    initController: true,
    initNode: false,
    defaultTimeout: "5s",
    callbacks,
    reconnect: { maxAttempts: 3, minDelayMs: 5 },
    maxFrameBytes: 100_000,
    logger,
    onInit,
  });
  assertEquals([options.processName, options.defaultTimeoutMs], ["p", 5000]);
  assertStrictEquals(options.callbacks, callbacks);
  assertEquals(options.reconnect, { minDelayMs: 5, maxDelayMs: 2000, maxAttempts: 3 });
  assertEquals(options.hooks, { onInit });
  options.logger.warn("daffi: one\nline");
  assertEquals(logger.lines, ["warn daffi: one\\u000aline"]);
  assertEquals(resolveOptions({ reconnect: false }).reconnect, undefined);
  const heartbeat = { interval: "1s", timeout: "2.5 seconds" };
  assertEquals(resolveOptions({ heartbeat }).heartbeat, { intervalMs: 1000, timeoutMs: 2500 });
  assertEquals(resolveOptions({ heartbeat: false }).heartbeat, undefined);
  assertEquals(resolveOptions({ defaultTimeout: Infinity }).defaultTimeoutMs, Infinity);
});

Deno.test("Global refuses options that are none", () => {
  for (const options of [null, 5, "host", true]) refusal(options);
});

Deno.test("Global refuses an unknown option, and names the nearest one", () => {
  const { message } = refusal({ proccessName: "p" });
  assert(message.includes("no option proccessName"), message);
  assert(message.includes("did you mean processName?"), message);
  assert(!refusal({ zzzzzzzz: 1 }).message.includes("did you mean"));
});

Deno.test("Global refuses a process name that is none", () => {
  refused("processName", ["", "x".repeat(257), 5, null, {}, NOTHING]);
});

Deno.test("Global refuses initController and initNode that are not boolean", () => {
  for (const name of ["initController", "initNode"]) refused(name, ["yes", 1, null, NOTHING]);
});

Deno.test("Global refuses to run nothing", () => {
  const { message } = refusal({ initNode: false });
  assert(message.includes("initController and initNode"), message);
});

Deno.test("Global refuses a host and a port that are none", () => {
  refused("host", ["", 5, null, NOTHING, "http://localhost", "local host", "localhost/"]);
  refused("port", [0, -1, 65_536, 1.5, NaN, "80", null, NOTHING]);
  refused("port", [-1, 65_536, "80"], { initController: true });
});

Deno.test("Global refuses a node with host and without port", () => {
  const { message } = refusal({ host: "localhost" });
  assert(message.includes("port"), message);
});

Deno.test("Global refuses a UNIX socket together with host or port", () => {
  for (const rest of [{ host: "localhost" }, { port: 5 }, { host: "localhost", port: 5 }]) {
    const { message } = refusal({ unixSockPath: "dir", ...rest });
    assert(message.includes("unixSockPath"), message);
  }
  for (const unixSockPath of ["", 5, null, NOTHING]) {
    assert(refusal({ unixSockPath }).message.includes("unixSockPath"));
  }
});

Deno.test("resolveOptions() reads the ways to a controller that is elsewhere", () => {
  const address = (options: GlobalOptions) => resolveOptions(options).address;
  assertEquals(address({ url: "ws://localhost:8000/daffi" }), {
    kind: "url",
    url: "ws://localhost:8000/daffi",
    token: undefined,
  });
  for (const token of ["t", "t".repeat(4_096)]) {
    const url = "wss://example.com/";
    assertEquals(address({ url, token }), { kind: "url", url, token });
  }
  const { port1, port2 } = new MessageChannel();
  assertEquals(address({ port: port1 }), { kind: "port", port: port1 });
  port1.close();
  port2.close();
});

Deno.test("resolveOptions() reads how a controller serves the web", () => {
  const read = (options: GlobalOptions) => {
    const { address, web } = resolveOptions({ initController: true, insecure: true, ...options });
    return [address?.kind, web!.address, web!.origins, web!.tokens];
  };
  const nowhere = [undefined, undefined, undefined];
  assertEquals(read({}), ["unix", ...nowhere]);
  assertEquals(read({ web: true }), [undefined, ...nowhere]);
  assertEquals(read({ web: {} }), [undefined, ...nowhere]);
  assertEquals(read({ web: true, port: 5 }), ["tcp", ...nowhere]);
  assertEquals(read({ web: true, unixSockPath: "dir" }), ["unix", ...nowhere]);
  const rest = [undefined, undefined];
  assertEquals(read({ web: { port: 5 } }), [undefined, { host: "localhost", port: 5 }, ...rest]);
  assertEquals(read({ web: { host: "::" } }), [undefined, { host: "::", port: 0 }, ...rest]);
  for (const origins of [["https://a.example", "null"], ["*"], []]) {
    const tokens = ["a", "b"];
    assertEquals(read({ web: { origins, tokens } }), [undefined, undefined, origins, tokens]);
  }
});

Deno.test("Global refuses a URL that no WebSocket takes", () => {
  const urls = [
    ...["", "example.com", "http://example.com", "wsx://a", "ws://a/#b", "ws://"],
    ...[5, null, NOTHING],
  ];
  for (const url of urls) assert(refusal({ url }).message.includes("url"));
});

Deno.test("Global refuses two ways to the controller, and names both", () => {
  const { port1: port, port2 } = new MessageChannel();
  const url = "ws://localhost/";
  for (
    const [options, ...names] of [
      [{ url, host: "localhost" }, "url", "host"],
      [{ url, port: 5 }, "url", "port"],
      [{ url, unixSockPath: "dir" }, "url", "unixSockPath"],
      [{ url, port }, "url", "MessagePort"],
      [{ port, host: "localhost" }, "MessagePort", "host"],
      [{ port, unixSockPath: "dir" }, "MessagePort", "unixSockPath"],
      [{ url, initController: true }, "url", "initController"],
      [{ port, initController: true }, "MessagePort", "initController"],
      [{ web: true, port: 5 }, "web", "initController"],
      [{ token: "t", port: 5 }, "token", "url"],
    ] as const
  ) {
    const { message } = refusal(options);
    for (const name of names) assert(message.includes(name), message);
  }
  port.close();
  port2.close();
});

Deno.test("Global refuses a way to serve the web that is none", () => {
  const refusedWeb = (name: string, web: unknown) => {
    const { message } = refusal({ initController: true, insecure: true, web });
    assert(message.includes(name), message);
  };
  for (const web of [false, 5, "host", null]) refusedWeb("web", web);
  refusedWeb("did you mean origins?", { origin: [] });
  for (const host of ["", 5, null]) refusedWeb("web.host", { host });
  for (const port of [-1, 65_536, "80"]) refusedWeb("web.port", { port });
  const origins = [
    "https://a.example",
    [5],
    ["a.example"],
    ["https://a.example/"],
    ["https://A.example"],
    ["https://a.example:443"],
  ];
  for (const list of origins) refusedWeb("web.origins", { origins: list });
  for (const tokens of ["secret", [], [""], [5], ["t".repeat(4_097)]]) {
    refusedWeb("web.tokens", { tokens });
  }
});

Deno.test("Global refuses tokens that are none without telling them", () => {
  for (const token of ["", 5, null, "t".repeat(4_097), "t".repeat(300_000)]) {
    const { message } = refusal({ url: "ws://localhost/", token });
    assert(message.includes("(hidden)"), message);
  }
  const { message } = refusal({ initController: true, web: { tokens: "secret" } });
  assert(!message.includes("secret"), message);
});

Deno.test("Global refuses a default timeout that is no duration above zero", () => {
  refused("defaultTimeout", [0, -1, NaN, "soon", "5", null, {}, NOTHING]);
});

Deno.test("Global refuses callbacks that are no registry", () => {
  refused("callbacks", [{}, [], null, () => 1, NOTHING]);
});

Deno.test("Global refuses a way to reconnect that is none", () => {
  refused("reconnect", [5, "on", null]);
  assert(refusal({ reconnect: 5 }).message.includes("true, false or an object"));
  refused("reconnect", [
    { minDelayMs: 0 },
    { minDelayMs: -1 },
    { maxDelayMs: Infinity },
    { maxDelayMs: "1s" },
    { minDelayMs: 10, maxDelayMs: 5 },
    { maxAttempts: 0 },
    { maxAttempts: 1.5 },
    { maxAttempts: "3" },
    { minDelayMs: NOTHING },
  ]);
});

Deno.test("Global refuses an unknown option of reconnect", () => {
  const { message } = refusal({ host: "localhost", port: 1, reconnect: { minDelay: 5 } });
  assert(message.includes("minDelay"), message);
});

Deno.test("Global refuses a heartbeat that is none", () => {
  refused("heartbeat", [5, "on", null]);
  assert(refusal({ heartbeat: 5 }).message.includes("true, false or an object"));
  refused("heartbeat", [
    { interval: 0 },
    { interval: "often" },
    { timeout: Infinity },
    { timeout: null },
    { interval: "5s", timeout: "5s" },
    { interval: "15s" },
    { timeout: "5s" },
    { interval: NOTHING },
  ]);
  const { message } = refusal({ host: "localhost", port: 1, heartbeat: { intervalMs: 5 } });
  assert(message.includes("did you mean interval?"), message);
});

Deno.test("Global refuses a frame size that is out of bounds", () => {
  refused("maxFrameBytes", [0, 65_535, 2 ** 30 + 1, 1e5 + 0.5, Infinity, "1MB", NOTHING]);
});

Deno.test("Global refuses a taskStore that cannot keep tasks, whether it runs a node or not", () => {
  const { remove: _, ...incomplete } = { load() {}, save() {}, remove() {}, close() {} };
  const wrong = ["", null, 5, {}, () => {}, incomplete, NOTHING];
  refused("taskStore", wrong);
  refused("taskStore", wrong, { initController: true, initNode: false });
});

Deno.test("Global refuses a transfer that says nothing, whether it runs a node or not", () => {
  const wrong = ["", "sandbx", null, 5, { mode: "all" }, { timeout: "soon" }];
  refused("transfer", wrong);
  refused("transfer", wrong, { initController: true, initNode: false });
});

Deno.test("Global refuses a logger that cannot log", () => {
  refused("logger", [null, 5, {}, { warn() {} }, { error() {} }, NOTHING]);
});

Deno.test("Global refuses hooks that are no functions", () => {
  const hooks = ["onInit", "onNodeConnect", "onNodeDisconnect", "onProcessJoin", "onProcessLeave"];
  for (const hook of hooks) refused(hook, [5, "log", {}, null, NOTHING]);
});
