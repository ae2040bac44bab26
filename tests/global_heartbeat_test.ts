import { assert, assertEquals } from "@std/assert";
import { currentCall, PeerLostError } from "../mod.ts";
import { CuttingProxy } from "./helpers/cutting_proxy.ts";
import { assertRejectsLater, soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

const LIMIT_MS = 20_000;
const QUICK = {
  heartbeat: { interval: 50, timeout: 200 },
  reconnect: { minDelayMs: 1, maxDelayMs: 20 },
};

Deno.test("a process that is cut off without a word is lost to both sides, and comes back", async () => {
  const started = Promise.withResolvers<AbortSignal>();
  await using net = await TestNetwork.start((callback) => callback("f", () => "hub"), QUICK);
  await using proxy = new CuttingProxy(net.hub.port!);
  const heard: string[] = [];
  const a = await net.join("a", (callback) => {
    callback("wait", () => {
      started.resolve(currentCall()!.signal);
      return new Promise(() => {});
    });
  }, { ...QUICK, port: proxy.port, onNodeDisconnect: () => void heard.push("disconnect") });
  const call = assertRejectsLater(() => soon(net.hub.call.wait().fg(), LIMIT_MS), PeerLostError);
  const signal = await soon(started.promise);

  proxy.freeze();
  const { executed, processName } = await call;
  assertEquals([executed, processName], ["maybe", "a"]);
  assert(net.logger.has("nothing was received for 200 ms"), net.logger.lines.join("\n"));
  await until(() => heard.length > 0, LIMIT_MS);
  assert(signal.aborted);
  const waiting = a.call.f().fg();

  proxy.thaw();
  await soon(net.hub.waitFunction("wait"), LIMIT_MS);
  assertEquals(await soon(waiting, LIMIT_MS), "hub");
});

Deno.test("without heartbeat a silent process stays", async () => {
  await using net = await TestNetwork.start((callback) => callback("f", () => 1), QUICK);
  await using proxy = new CuttingProxy(net.hub.port!);
  const lost: string[] = [];
  const a = await net.join("a", () => {}, {
    ...QUICK,
    heartbeat: false,
    port: proxy.port,
    onNodeDisconnect: () => void lost.push("a"),
  });
  proxy.freeze();
  const call = a.call.f().fg();
  await until(() => Object.keys(net.hub.registeredCallbacks).length === 0, LIMIT_MS);
  assertEquals(lost, []);
  proxy.thaw(); // and now it hears that the controller has closed
  await assertRejectsLater(() => soon(call, LIMIT_MS), PeerLostError);
});
