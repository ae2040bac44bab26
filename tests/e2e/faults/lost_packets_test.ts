import { assertEquals } from "@std/assert";
import type { GlobalOptions } from "../../../mod.ts";
import { Program, type ProgramOptions } from "../../helpers/processes.ts";
import { NODE, QUICK } from "../network.ts";

const CALLER = new URL("./caller.ts", import.meta.url);

/** Drops each packet that is larger than a byte, and tells nobody. */
const CUT = "tc qdisc add dev lo root tbf rate 8bit burst 1 limit 1";
const MEND = "tc qdisc del dev lo root";

const DECODER = new TextDecoder();

/** A network of its own with nothing in it but `lo`, for as long as a process lives. */
class Cable implements AsyncDisposable {
  readonly #holder: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ReadableStreamDefaultReader<Uint8Array>;

  private constructor() {
    this.#holder = new Deno.Command("unshare", {
      args: ["-rn", "sh"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#stdin = this.#holder.stdin.getWriter();
    this.#answers = this.#holder.stdout.getReader();
  }

  /** Makes one; `undefined` where this user may not, or the tools are missing. */
  static async lay(): Promise<Cable | undefined> {
    if (Deno.build.os !== "linux") return undefined;
    try {
      const cable = new Cable();
      if (await cable.#run(`ip link set lo up && ${CUT} && ${MEND}`)) return cable;
      await cable[Symbol.asyncDispose]();
    } catch {
      // There is no unshare.
    }
    return undefined;
  }

  async #run(command: string): Promise<boolean> {
    const line = `${command} >/dev/null 2>&1 && echo yes || echo no\n`;
    await this.#stdin.write(new TextEncoder().encode(line)).catch(() => {});
    const { value } = await this.#answers.read();
    return DECODER.decode(value).trim() === "yes";
  }

  /** From here on nothing arrives. */
  async cut(): Promise<void> {
    assertEquals(await this.#run(CUT), true);
  }

  /** From here on everything arrives again. */
  async mend(): Promise<void> {
    assertEquals(await this.#run(MEND), true);
  }

  /** A command that runs a program behind it in this network. */
  get #inside(): ProgramOptions {
    const target = String(this.#holder.pid);
    return { through: ["nsenter", "--preserve-credentials", "-U", "-n", "-t", target] };
  }

  /** Starts a program here. */
  start(file: URL, options: GlobalOptions): Program {
    const heartbeat = { interval: 200, timeout: 3_000 };
    const address = { host: "127.0.0.1", port: 7_000 }; // nobody else is here
    return new Program(file, { ...address, reconnect: QUICK, heartbeat, ...options }, this.#inside);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stdin.close().catch(() => {});
    await this.#answers.cancel();
    await this.#holder.status;
  }
}

const probe = await Cable.lay();
await probe?.[Symbol.asyncDispose]();

Deno.test({
  name: "processes that are cut off without a word notice, and find each other again",
  ignore: probe === undefined,
  fn: async () => {
    await using cable = (await Cable.lay())!;
    await using controller = cable.start(NODE, {
      processName: "controller",
      initController: true,
      initNode: false,
    });
    await controller.event("ready");
    await using there = cable.start(NODE, { processName: "there" });
    await there.event("ready");
    await using caller = cable.start(CALLER, { processName: "caller" });
    await caller.event("waits");

    await cable.cut();
    const { name, executed } = await caller.event("lost");
    assertEquals([name, executed], ["PeerLostError", "maybe"]);
    await there.event("connect");
    await there.event("disconnect");

    await cable.mend();
    await there.event("connect", 60_000);
    assertEquals((await caller.event("back", 60_000)).sum, 3);
    await caller.ended();
    await there.endGracefully();
  },
});
