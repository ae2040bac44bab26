// Loaded while there is a Deno: these need it for that.
import "node:net";
import "node:process";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InitializationError } from "../../src/errors.ts";
import { socketTransport } from "../../src/transport/sockets.ts";

Deno.test("socketTransport() gives TCP for a host and port", () => {
  const transport = socketTransport({ kind: "tcp", host: "localhost", port: 8888 });
  assertEquals(transport.description, "localhost:8888");
});

Deno.test("socketTransport() gives the socket in the directory", () => {
  assertEquals(socketTransport({ kind: "unix", directory: "/a/b/" }).description, "/a/b/.sock");
});

Deno.test("socketTransport() gives a socket below the temporary directory when none is told", () => {
  const { description } = socketTransport({ kind: "unix", directory: undefined });
  assert(description.endsWith("/daffi/.sock"));
  assert(!description.includes("//"));
});

for (
  const [address, description] of [
    [{ kind: "tcp", host: "localhost", port: 1 }, "localhost:1"],
    [{ kind: "unix", directory: "/a/b/" }, "/a/b/.sock"],
  ] as const
) {
  Deno.test(`socketTransport() gives ${address.kind} by node:net where Deno is missing`, () => {
    without(["Deno"], () => assertEquals(socketTransport(address).description, description));
  });
}

Deno.test("socketTransport() gives the same default socket with and without Deno", () => {
  const address = { kind: "unix", directory: undefined } as const;
  const { description } = socketTransport(address);
  without(["Deno"], () => assertEquals(socketTransport(address).description, description));
});

Deno.test("socketTransport() gives an InitializationError where there are no sockets", () => {
  without(["Deno", "process"], () => {
    assertThrows(
      () => socketTransport({ kind: "tcp", host: "localhost", port: 1 }),
      InitializationError,
      "no TCP and no UNIX sockets",
    );
  });
});

/** Runs as if the runtime had no such globals. */
function without(names: readonly string[], run: () => void): void {
  const saved = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name)!);
  for (const name of names) {
    Object.defineProperty(globalThis, name, { value: undefined, configurable: true });
  }
  try {
    run();
  } finally {
    names.forEach((name, i) => Object.defineProperty(globalThis, name, saved[i]!));
  }
}
