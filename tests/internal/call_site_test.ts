import { assert, assertEquals, assertMatch } from "@std/assert";
import { FakeTime } from "../helpers/fake_time.ts";
import { type CallSite, CallSites, showCallSite } from "../../src/internal/call_site.ts";

function library(sites: CallSites): CallSite | undefined {
  return innerPart(sites);
}

function innerPart(sites: CallSites): CallSite | undefined {
  return sites.capture(library);
}

function callerOfLibrary(sites: CallSites): CallSite | undefined {
  return library(sites);
}

Deno.test("capture() remembers who called, without the frames from `below` on", () => {
  const { stack = "" } = callerOfLibrary(new CallSites())!;
  assertMatch(stack.split("\n")[1]!, /at callerOfLibrary .*call_site_test\.ts/);
  assert(!stack.includes("innerPart") && !stack.includes("CallSites.capture"));
});

Deno.test("capture() remembers a hundred places in a tenth of a second, and again in the next", () => {
  using time = new FakeTime(100_000);
  const sites = new CallSites();
  const remembered = (calls: number) =>
    Array.from({ length: calls }, () => callerOfLibrary(sites)).filter((site) => site).length;
  assertEquals(remembered(300), 100);
  time.tick(99);
  assertEquals(remembered(300), 0);
  time.tick(1);
  assertEquals(remembered(300), 100);
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
