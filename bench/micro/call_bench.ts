import { CallbackRegistry, Global } from "@daffi/core";

const callbacks = new CallbackRegistry();
callbacks.callback("add", (a: number, b: number) => a + b);
callbacks.callback("length", (bytes: Uint8Array) => bytes.length);
callbacks.callback("countTo", function* (last: number) {
  for (let n = 1; n <= last; n++) yield n;
});

const server = new Global({
  processName: "server",
  initController: true,
  host: "localhost",
  callbacks,
});
await server.ready;
const client = new Global({
  processName: "client",
  host: "localhost",
  port: server.port,
  callbacks: new CallbackRegistry(),
});
await client.waitProcess("server");

const MEBIBYTE = new Uint8Array(1024 * 1024);

Deno.bench("FG, one at a time", async () => {
  await client.call.add(1, 2);
});

Deno.bench("FG, 64 at a time", async () => {
  await Promise.all(Array.from({ length: 64 }, () => client.call.add(1, 2)));
});

Deno.bench("NO_RETURN, 1,000 and then one FG", async () => {
  for (let i = 0; i < 1000; i++) client.call.add(1, 2).noReturn();
  await client.call.add(1, 2);
});

Deno.bench("FG with 1 MiB", async () => {
  await client.call.length(MEBIBYTE);
});

Deno.bench("a stream of 1,000 items", async () => {
  for await (const _ of client.call.countTo(1000));
});
