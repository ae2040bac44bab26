// The Controller and a Node, reachable by TLS only, and by those only who know the secret. Make the
// certificates first by examples/tls/make_certificates.ts, then start this, and examples/tls/node.ts:
//
//   deno run --allow-net --allow-read=examples/tls examples/tls/controller.ts
import { callback, Global } from "@daffi/core";

const [port = 8888] = Deno.args.map(Number);
const read = (name: string) => Deno.readTextFileSync(`${import.meta.dirname}/certificates/${name}`);

callback(function add(a: number, b: number) {
  return a + b;
});

const g = new Global({
  processName: "server",
  initController: true,
  host: "localhost",
  port,
  tls: { cert: read("cert.pem"), key: read("key.pem") },
  secret: "for this example only; take 32 random bytes",
});
await g.join();
