// A web server whose pages are processes of the network: they offer callbacks, and call those of others.
// Open http://localhost:8000 in a browser, or in several.
//
//   deno task build:browser
//   deno run --allow-net --allow-read examples/browser/server.ts
import { callback, Global } from "@daffi/core";

const [port = "8000", library = new URL("../../dist/daffi.js", import.meta.url)] = Deno.args;

callback("add", (a: number, b: number) => a + b);

// Pages of this server may join, and pages of other origins may not.
const g = new Global({
  processName: "server",
  initController: true,
  web: true,
  onProcessJoin: async (g, name) => {
    if (!name.startsWith("page")) return;
    const lines = await g.call.show(`Welcome, ${name}!`).fg({ to: name });
    console.log(`${name} shows ${lines} lines`);
  },
});

const files = new Map<string, [path: string | URL, type: string]>([
  ["/", [new URL("index.html", import.meta.url), "text/html; charset=utf-8"]],
  ["/page.js", [new URL("page.js", import.meta.url), "text/javascript"]],
  ["/daffi.js", [library, "text/javascript"]],
]);

const address = {
  hostname: "localhost",
  port: Number(port),
  onListen: () => console.log(`Open http://localhost:${port}/`),
};
await using _server = Deno.serve(address, async (request, info) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/daffi") return await g.fetch(request, info);
  const [path, type] = files.get(pathname) ?? [];
  if (path === undefined) return new Response("There is nothing here.\n", { status: 404 });
  return new Response(await Deno.readFile(path), { headers: { "content-type": type! } });
});
await g.join();
