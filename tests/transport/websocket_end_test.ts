import { assertEquals, assertInstanceOf } from "@std/assert";
import { AuthenticationError, ConnectionError } from "../../src/errors.ts";
import { closedWebSocket } from "../../src/transport/websocket_end.ts";

Deno.test("closedWebSocket() takes what has finished for no error", () => {
  for (const status of [1000, 1001, 1005]) assertEquals(closedWebSocket(status, "bye"), undefined);
});

Deno.test("closedWebSocket() tells the status, and the words if there are any", () => {
  for (
    const [status, reason, why] of [
      [1002, "I object", "1002 I object"],
      [1006, "", "1006"],
      [4000, "", "4000"],
    ] as const
  ) {
    const error = closedWebSocket(status, reason);
    assertInstanceOf(error, ConnectionError);
    assertEquals(error.message, `The WebSocket was closed: ${why}`);
  }
});

Deno.test("closedWebSocket() takes the status of a missing token for a failed authentication", () => {
  const error = closedWebSocket(4401, "A token is needed");
  assertInstanceOf(error, AuthenticationError);
  assertEquals(error.message, "Cannot join: A token is needed");
});
