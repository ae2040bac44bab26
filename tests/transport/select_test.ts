import { assert, assertEquals, assertThrows } from "@std/assert";
import { InitializationError } from "../../src/errors.ts";
import { transportFor } from "../../src/transport/select.ts";

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
