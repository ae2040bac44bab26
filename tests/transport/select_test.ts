import { assert, assertEquals, assertThrows } from "@std/assert";
import { InitializationError } from "../../src/errors.ts";
import { connectingTo, listeningAt } from "../../src/transport/select.ts";

Deno.test("connectingTo() gives what the address needs", () => {
  const { port1, port2 } = new MessageChannel();
  assertEquals(
    connectingTo({ kind: "tcp", host: "h", port: 1 }).description,
    "h:1",
  );
  const url = "ws://localhost/";
  assertEquals(
    connectingTo({ kind: "url", url, token: undefined }).description,
    url,
  );
  assert(connectingTo({ kind: "port", port: port1 }).description.includes("port"));
  port1.close();
  port2.close();
});

Deno.test("listeningAt() gives nothing for a controller that is reached over the web alone", () => {
  assertEquals(listeningAt(undefined), []);
  assertEquals(listeningAt({ kind: "tcp", host: "h", port: 1 }).length, 1);
});

Deno.test("connectingTo() gives an InitializationError where there is no WebSocket", () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, "WebSocket")!;
  Object.defineProperty(globalThis, "WebSocket", { value: undefined, configurable: true });
  try {
    assertThrows(
      () => connectingTo({ kind: "url", url: "ws://localhost/", token: undefined }),
      InitializationError,
      "no WebSocket",
    );
  } finally {
    Object.defineProperty(globalThis, "WebSocket", own);
  }
});
