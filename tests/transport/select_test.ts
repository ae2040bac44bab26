import { assert, assertEquals, assertThrows } from "@std/assert";
import { InitializationError } from "../../src/errors.ts";
import { connectingTo, listeningAt, transportFor } from "../../src/transport/select.ts";

Deno.test("transportFor() gives TCP for a host and port", () => {
  const transport = transportFor({ kind: "tcp", host: "localhost", port: 8888 });
  assertEquals(transport.description, "localhost:8888");
});

Deno.test("transportFor() gives the socket in the directory", () => {
  assertEquals(transportFor({ kind: "unix", directory: "/a/b/" }).description, "/a/b/.sock");
});

Deno.test("transportFor() gives a socket below the temporary directory when none is told", () => {
  const { description } = transportFor({ kind: "unix", directory: undefined });
  assert(description.endsWith("/daffi/.sock"));
  assert(!description.includes("//"));
});

Deno.test("connectingTo() gives what the address needs", () => {
  const { port1, port2 } = new MessageChannel();
  assertEquals(connectingTo({ kind: "tcp", host: "h", port: 1 }).description, "h:1");
  const url = "ws://localhost/";
  assertEquals(connectingTo({ kind: "url", url, token: undefined }).description, url);
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

Deno.test("transportFor() gives an InitializationError where there are no sockets", () => {
  const runtime = Object.getOwnPropertyDescriptor(globalThis, "Deno")!;
  Object.defineProperty(globalThis, "Deno", { value: undefined, configurable: true });
  try {
    assertThrows(
      () => transportFor({ kind: "tcp", host: "localhost", port: 1 }),
      InitializationError,
      "no TCP and no UNIX sockets",
    );
  } finally {
    Object.defineProperty(globalThis, "Deno", runtime);
  }
});
