// The controller in a worker: it opens no port of its own, but takes what its platform routes to it.
// Nodes join by wss://<where it runs>/daffi.
//
//   deno serve --host localhost --port 8001 examples/worker/controller.ts
import { Global } from "@daffi/core";

const g = new Global({ processName: "controller", initController: true, web: true });

export default {
  fetch(request: Request, info: unknown): Response | Promise<Response> {
    if (new URL(request.url).pathname === "/daffi") return g.fetch(request, info);
    return Response.json(g.registeredCallbacks);
  },
};
