// The broker of NATS, `nats-server` itself: this process only starts it.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { meeting, ready, stay } from "../program.ts";

const directory = join(meeting().directory, "nats");
mkdirSync(directory);
const config = join(directory, "nats.conf");
// 1 MiB is the default, and 16 MiB shall pass.
writeFileSync(
  config,
  `listen: "127.0.0.1:-1"\nmax_payload: 32MB\nports_file_dir: "${directory}"\n`,
);
const server = spawn("nats-server", ["-c", config], { stdio: ["ignore", "ignore", "ignore"] });
process.on("exit", () => server.kill());
ready({ natsUrl: await listening(server), pid: server.pid });
await stay(() => Promise.resolve());

async function listening(server: ChildProcess): Promise<string> {
  while (server.exitCode === null) {
    const file = readdirSync(directory).find((name) => name.endsWith(".ports"));
    const url = file && /nats:\/\/[\d.:]+/.exec(readFileSync(join(directory, file), "utf8"))?.[0];
    if (url) return url;
    await sleep(20);
  }
  throw new Error(`nats-server ended with code ${server.exitCode}`);
}
