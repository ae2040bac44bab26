// Nodes by WebSocket, beside nodes by TCP: the controller serves both, and a path of a web server.
//
//   deno run --allow-net examples/websocket.ts
import { callback, CallbackRegistry, Global } from "@daffi/core";

callback(function greet(name: string) {
  return `Hello, ${name}!`;
});

await using hub = new Global({
  processName: "hub",
  initController: true,
  host: "localhost",
  web: { host: "localhost" }, // pages are let in from this origin; `origins` lists others
});
await hub.ready;

// A web server that has other things to do as well.
await using server = Deno.serve(
  { hostname: "localhost", port: 0, onListen() {} },
  (request, info) => {
    const { pathname } = new URL(request.url);
    return pathname === "/daffi" ? hub.fetch(request, info) : new Response("A page");
  },
);

// These would be other processes, or pages, in a real program.
const none = { callbacks: new CallbackRegistry() };
const { port } = server.addr;
await using tcp = new Global({ ...none, processName: "tcp", host: "localhost", port: hub.port });
await using web = new Global({ ...none, processName: "web", url: hub.url });
await using path = new Global({
  ...none,
  processName: "path",
  url: `ws://localhost:${port}/daffi`,
});
for (const g of [tcp, web, path]) {
  await g.ready;
  console.log(await g.call.greet(g.processName));
}

// No page of another origin gets in, also to localhost.
const page = new WebSocket(hub.url!, { headers: { origin: "https://elsewhere.example" } });
page.onerror = (event) => console.log("refused:", (event as ErrorEvent).message);
await new Promise((resolve) => page.onclose = resolve);
console.log("a page:", await (await fetch(`http://localhost:${port}/`)).text());
