// Joins the Controller of examples/tls/controller.ts, whose certificate it verifies. Others fail:
//
//   deno run --allow-net --allow-read=examples/tls examples/tls/node.ts
import { DaffiError, Global, type GlobalOptions } from "@daffi/core";

const [port = 8888] = Deno.args.map(Number);
const ca = Deno.readTextFileSync(`${import.meta.dirname}/certificates/ca.pem`);

const address = { processName: "client", host: "localhost", port };
const tls = { caCerts: [ca] };
const secret = "for this example only; take 32 random bytes";

{
  await using g = new Global({ ...address, tls, secret });
  await g.waitFunction("add");
  console.log(`over TLS: ${await g.call.add(1, 2)}`);
}

async function tryWith(what: string, options: GlobalOptions) {
  const silent = { warn() {}, error() {} };
  const g = new Global({ ...address, ...options, logger: silent });
  await g.ready.catch((error) => {
    if (error instanceof DaffiError) console.log(`${what}: ${error.name}`);
  });
  await g.stop();
}

await tryWith("without TLS", { secret });
await tryWith("without trust in its authority", { tls: {}, secret });
await tryWith("with another secret", { tls, secret: "I guess" });
