/**
 * Runs the programs of `examples/worker/` by their commands, as their platform would, and visits them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Child } from "./child.ts";
import { commandOf } from "./example_command.ts";

const ROOT = fromFileUrl(import.meta.resolve("../"));
const LIMIT_MS = 30_000;

/** The programs of this example. */
export const WORKERS: readonly string[] = [
  "worker/api.ts",
  "worker/backend.ts",
  "worker/controller.ts",
];

/** Runs them together. Fails when an answer is not what it should be. */
export async function runWorkers(): Promise<void> {
  const [apiPort, controllerPort] = [freePort(), freePort()];
  const env = { CONTROLLER_URL: `ws://localhost:${controllerPort}/daffi` };
  const children: Child[] = [];
  const start = async (file: string, says: string): Promise<Child> => {
    const command = (await commandOf(file)).map((arg) =>
      arg.replace("8000", String(apiPort)).replace("8001", String(controllerPort))
    );
    const ready = Promise.withResolvers<void>();
    const onLine = (line: string) => line.includes(says) && ready.resolve();
    const child = new Child(command, { cwd: ROOT, env, onLine });
    children.push(child);
    child.status.then(({ code }) =>
      ready.reject(new Error(`${file} ended with ${code}: ${child.stderr.join("; ")}`))
    );
    await ready.promise;
    return child;
  };
  const visit = async (port: number, path: string) => {
    const response = await fetch(`http://localhost:${port}${path}`);
    return [response.status, (await response.text()).replace(/api [0-9a-f-]+/, "api")];
  };
  const timer = setTimeout(() => children.forEach((child) => child.kill("SIGKILL")), LIMIT_MS);
  try {
    const controller = await start("worker/controller.ts", "Listening");
    const backend = await start("worker/backend.ts", "connected");
    await start("worker/api.ts", "Listening");
    assertEquals(await visit(apiPort, "/add?a=1&b=2"), [200, '{"sum":3}']);
    assertEquals(await visit(controllerPort, "/"), [
      200,
      '{"backend":["add"],"api":["answeredRequests"]}',
    ]);
    assertEquals((await visit(controllerPort, "/daffi"))[0], 426);

    // The platform has stopped the controller and starts it again: all come back.
    controller.kill("SIGKILL");
    await controller.status;
    await start("worker/controller.ts", "Listening");
    assertEquals(await visit(apiPort, "/add?a=5&b=6"), [200, '{"sum":11}']);
    backend.kill("SIGTERM");
    await backend.status; // all that it printed is read
    assertEquals(backend.stdout, [
      "connected",
      "1 + 2, after 0 requests",
      "connected",
      "5 + 6, after 1 requests",
    ]);
  } finally {
    clearTimeout(timer);
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map((child) => child.status));
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "localhost", port: 0 });
  return listener.addr.port;
}
