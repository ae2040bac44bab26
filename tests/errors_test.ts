import { assert, assertEquals, assertThrows } from "@std/assert";
import * as daffi from "../mod.ts";
import { BroadcastError, DaffiError, RemoteCallError, ValidationError } from "../mod.ts";

const CODES = {
  InitializationError: "INITIALIZATION",
  GlobalContextError: "GLOBAL_CONTEXT",
  ConnectionError: "CONNECTION",
  AuthenticationError: "AUTHENTICATION",
  DuplicateProcessError: "DUPLICATE_PROCESS",
  CallbackNotFoundError: "CALLBACK_NOT_FOUND",
  ProcessNotFoundError: "PROCESS_NOT_FOUND",
  CallTimeoutError: "CALL_TIMEOUT",
  CallCancelledError: "CALL_CANCELLED",
  PeerLostError: "PEER_LOST",
  EncodeError: "ENCODE",
  ProtocolError: "PROTOCOL",
  TransferError: "TRANSFER",
  OverloadedError: "OVERLOADED",
} as const;

for (const name of Object.keys(CODES) as (keyof typeof CODES)[]) {
  Deno.test(`${name} has its name, code, cause and call`, () => {
    const cause = new Error("behind it");
    const call = { processName: "p", callbackName: "c", callId: 5, executed: "maybe" } as const;
    const error = new daffi[name]("what is wrong", { ...call, cause });
    assert(error instanceof DaffiError && error instanceof daffi[name]);
    assertEquals([error.name, error.code, error.message, error.cause], [
      name,
      CODES[name],
      "what is wrong",
      cause,
    ]);
    const { processName, callbackName, callId, executed } = error;
    assertEquals({ processName, callbackName, callId, executed }, call);
    assertEquals("cause" in new daffi[name]("nothing behind it"), false);
  });
}

Deno.test("RemoteCallError, BroadcastError and ValidationError carry what they are about", () => {
  const remote = new RemoteCallError("m", { remoteName: "TypeError", remoteMessage: "x" });
  assertEquals([remote.code, remote.name, remote.executed], [
    "REMOTE_CALL",
    "RemoteCallError",
    "yes",
  ]);
  assertEquals([remote.remoteName, remote.remoteMessage, remote.remoteFields], [
    "TypeError",
    "x",
    {},
  ]);
  const broadcast = new BroadcastError("m", { a: 1 }, { b: remote });
  assertEquals([broadcast.code, broadcast.results, broadcast.errors], ["BROADCAST", { a: 1 }, {
    b: remote,
  }]);
  const issues = [{ message: "wrong", path: ["a"] }];
  assertEquals([new ValidationError("m", issues).issues, new ValidationError("m").issues], [
    issues,
    [],
  ]);
});

Deno.test("an error that concerns no call has no fields of one", () => {
  const error = new daffi.ConnectionError("no call");
  for (const key of ["processName", "callbackName", "callId", "executed"]) {
    assertEquals(key in error, false, key);
  }
});

Deno.test("DaffiError names itself by its class", () => {
  class OwnError extends DaffiError {}
  const error = assertThrows(() => {
    throw new OwnError("OWN", "message");
  }, OwnError);
  assertEquals([error.name, error.code], ["OwnError", "OWN"]);
});
