// A worker that is a node of a controller elsewhere: it answers HTTP requests by calling the callbacks
// of others, and offers one itself. Open http://localhost:8000/add?a=1&b=2.
//
//   deno serve --host localhost --port 8000 --allow-net=localhost:8001 --allow-env=CONTROLLER_URL examples/worker/api.ts
import { callback, DaffiError, Global } from "@daffi/core";

let answered = 0;
callback("answeredRequests", () => answered);

const g = new Global({
  processName: `api ${crypto.randomUUID()}`, // there may be several instances of it
  url: Deno.env.get("CONTROLLER_URL") ?? "ws://localhost:8001/daffi",
  defaultTimeout: "10s",
});

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/add") return new Response("There is nothing here.\n", { status: 404 });
    const [a, b] = ["a", "b"].map((name) => Number(searchParams.get(name)));
    try {
      // Others may come back a moment later than this one.
      await g.waitFunction("add", { timeout: "10s" });
      const sum = await g.call.add(a, b);
      answered++;
      return Response.json({ sum });
    } catch (error) {
      if (!(error instanceof DaffiError)) throw error;
      return Response.json({ error: error.code }, { status: 503 });
    }
  },
};
