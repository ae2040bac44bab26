import { assert, assertEquals, assertMatch } from "@std/assert";
import { captureCallSite, showCallSite } from "../../src/internal/call_site.ts";

function library(): ReturnType<typeof captureCallSite> {
  return innerPart();
}

function innerPart(): ReturnType<typeof captureCallSite> {
  return captureCallSite(library);
}

function callerOfLibrary(): ReturnType<typeof captureCallSite> {
  return library();
}

Deno.test("captureCallSite() remembers who called, without the frames from `below` on", () => {
  const { stack = "" } = callerOfLibrary();
  assertMatch(stack.split("\n")[1]!, /at callerOfLibrary .*call_site_test\.ts/);
  assert(!stack.includes("innerPart") && !stack.includes("captureCallSite"));
});

Deno.test("showCallSite() puts the call site and the remote stack behind name and message", () => {
  const error = new RangeError("wrong");
  showCallSite(error, { stack: "Error\n    at here" }, "TypeError: there\n    at remote");
  assertEquals(
    error.stack,
    "RangeError: wrong\n    at here\n  in the other process:\n    TypeError: there\n        at remote",
  );
  assertEquals(Object.keys(error), []);
});

Deno.test("showCallSite() leaves out what it does not know", () => {
  const error = new Error("wrong");
  showCallSite(error, undefined);
  assertEquals(error.stack, "Error: wrong");
  showCallSite(error, {}, undefined);
  assertEquals(error.stack, "Error: wrong");
  showCallSite(error, { stack: "Error\n    at here" });
  assertEquals(error.stack, "Error: wrong\n    at here");
  error.stack = "may be set";
  assertEquals(error.stack, "may be set");
});
