/**
 * Processes that call each other all the time, while they are killed, frozen, stopped and started
 * again. After each step everything must be as if nothing had been.
 *
 * @module
 */

import { join } from "@std/path";
import type { GlobalOptions } from "../../mod.ts";
import { Program, type ProgramEvent } from "../helpers/processes.ts";
import { within } from "../helpers/soon.ts";
import { Ledger, type LedgerCounts } from "./ledger.ts";
import type { Command, MemberSetting } from "./member.ts";
import { Random } from "./random.ts";

const MEMBER = new URL("./member.ts", import.meta.url);
const HUB = "hub";
const NAMES = [HUB, "one", "two", "three"];

/** For everything that must happen; generous, for the machine may be busy with other things. */
const LIMIT_MS = 60_000;

/** How much larger than after its first step the heap of a process may be after a later one. */
const MAX_GROWTH_BYTES = 12 * 1024 * 1024;

/** What a run is derived from, and how long it goes on. */
export interface ChaosOptions {
  seed: number;
  /** It ends after so many steps, */
  steps: number;
  /** or with the step that is under way after so many milliseconds. */
  limitMs: number;
  /** After how long a frozen process is lost; freezes take up to 2.5 s. */
  heartbeatTimeoutMs: number;
  /** Told what happens, a line each time. */
  say: (line: string) => void;
}

/** Where the processes meet, as options of theirs. */
interface Where {
  readonly hub: GlobalOptions;
  readonly nodes: GlobalOptions;
}

interface Member {
  readonly program: Program;
  readonly life: string;
  /** Of its first rest. */
  first?: ProgramEvent;
  leastFiles?: number;
}

/** What can be done to the processes. */
const FAULTS = {
  nothing: () => {},
  "kill a node": (chaos: Chaos) => chaos.kill(chaos.node()),
  "kill two nodes": async (chaos: Chaos) => {
    await chaos.kill("one");
    await chaos.kill("two");
  },
  "stop a node": (chaos: Chaos) => chaos.stop(chaos.node()),
  "freeze a node": (chaos: Chaos) => chaos.freeze(chaos.node()),
  "kill the controller": (chaos: Chaos) => chaos.kill(HUB),
  "stop the controller": (chaos: Chaos) => chaos.stop(HUB),
  "freeze the controller": (chaos: Chaos) => chaos.freeze(HUB),
  "kill the controller while a node is frozen": async (chaos: Chaos) => {
    const frozen = chaos.freeze(chaos.node());
    await chaos.kill(HUB);
    await chaos.revive();
    await frozen;
  },
  "kill everybody": async (chaos: Chaos) => {
    for (const name of NAMES) await chaos.kill(name);
  },
} satisfies Record<string, (chaos: Chaos) => void | Promise<void>>;

/**
 * Runs it.
 *
 * @returns What was counted.
 * @throws If anything is not as it is promised; the message says what.
 */
export async function runChaos(options: ChaosOptions): Promise<LedgerCounts> {
  await using chaos = await Chaos.start(options);
  return await chaos.run();
}

class Chaos implements AsyncDisposable {
  readonly #options: ChaosOptions;
  readonly #random: Random;
  readonly #directory: string;
  readonly #where: Where;
  readonly #ledger = new Ledger();
  readonly #members = new Map<string, Member>();
  #lives = 0;

  private constructor(options: ChaosOptions, directory: string, port: number) {
    this.#options = options;
    this.#directory = directory;
    this.#random = new Random(options.seed);
    const tcp = { host: "127.0.0.1", port };
    const unix = { unixSockPath: directory };
    const url = `ws://127.0.0.1:${port}/`;
    this.#where = this.#random.of<Where>([
      { hub: tcp, nodes: tcp },
      { hub: unix, nodes: unix },
      { hub: { web: tcp }, nodes: { url } },
    ]);
    options.say(`nodes join by ${Object.keys(this.#where.nodes)[0]}`);
  }

  static async start(options: ChaosOptions): Promise<Chaos> {
    using probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const directory = await Deno.makeTempDir({ prefix: "daffi_chaos_" });
    return new Chaos(options, directory, probe.addr.port);
  }

  async run(): Promise<LedgerCounts> {
    const { steps, limitMs, say } = this.#options;
    const end = performance.now() + limitMs;
    await this.revive();
    for (let step = 1; step <= steps && performance.now() < end; step++) {
      const names = Object.keys(FAULTS) as (keyof typeof FAULTS)[];
      const fault = step === 1 ? "nothing" : this.#random.of(names);
      say(`step ${step}: ${fault}`);
      try {
        await this.#step(fault);
      } catch (error) {
        const { message } = error as Error;
        throw new Error(`seed ${this.#options.seed}, step ${step}, ${fault}: ${message}`);
      }
    }
    return this.#ledger.counts;
  }

  async #step(fault: keyof typeof FAULTS): Promise<void> {
    await this.#ask("see", "sees");
    this.#tellAll("work");
    await this.#pause(100, 400);
    await FAULTS[fault](this);
    await this.#pause(0, 400);
    await this.revive();
    this.#tellAll("work"); // also to those who have just begun to live
    await this.#pause(0, 300);
    const alive = new Set(this.#all().map(({ life }) => life));
    const [rested, leaks] = await this.#leaks();
    const problems = this.#ledger.check(alive, fault === "nothing");
    problems.push(...await this.#check());
    problems.push(...leaks);
    if (problems.length > 0) throw new Error(`\n${problems.slice(0, 20).join("\n")}`);
    this.#options.say(
      rested.map((report, i) =>
        `  ${NAMES[i]}: ${Math.round(report.heapBytes as number / 1e5) / 10} MB, ` +
        `${timersOf(report).length} timers, ${report.files} files`
      ).join("\n"),
    );
  }

  /** When everybody sees everybody, calls of all sorts succeed, and agree with the ledger. */
  async #check(): Promise<string[]> {
    await this.#ask("see", "sees");
    const answers = await this.#ask("check", "checked");
    const alive = new Set(this.#all().map(({ life }) => life));
    await this.#rest();
    return [
      ...answers.flatMap(({ problems }) => problems as string[]),
      ...this.#ledger.check(alive, true),
    ];
  }

  /** Twice, for a process that rests may still be called by one that does not. */
  async #rest(): Promise<ProgramEvent[]> {
    try {
      await this.#ask("rest", "rested");
      return await this.#ask("rest", "rested");
    } catch (error) {
      const unsettled = this.#ledger.unsettled();
      throw new Error(`${(error as Error).message}; not settled: ${unsettled.slice(0, 10)}`);
    }
  }

  /** When connections that are being closed have ended, too: what they leave behind is a leak. */
  async #leaks(): Promise<[ProgramEvent[], string[]]> {
    const end = performance.now() + MAX_CLOSING_MS;
    for (;;) {
      const rested = await this.#rest();
      const leaks = this.#all().flatMap((member, i) => this.#leaksOf(member, rested[i]!));
      if (leaks.length === 0 || performance.now() > end) return [rested, leaks];
    }
  }

  #leaksOf(member: Member, now: ProgramEvent): string[] {
    const first = member.first ??= now;
    const files = now.files as number;
    const leastFiles = member.leastFiles = Math.min(files, member.leastFiles ?? files);
    const grown = (now.heapBytes as number) - (first.heapBytes as number);
    return [
      ...(grown > MAX_GROWTH_BYTES ? [`${member.life} has grown by ${grown} bytes`] : []),
      ...(files > leastFiles
        ? [`${member.life} has ${files} files open, it had ${leastFiles}`]
        : []),
      ...(now.pendingCalls === 0 && now.runningCalls === 0 ? [] : [
        `${member.life} has ${now.pendingCalls} pending and ${now.runningCalls} running calls`,
      ]),
      ...(timersOf(now).length > MAX_IDLE_TIMERS
        ? [`${member.life} has too many timers: ${timersOf(now).join(", ")}`]
        : []),
    ];
  }

  #all(): Member[] {
    return NAMES.map((name) => this.#members.get(name)!);
  }

  #tellAll(command: Command["do"]): void {
    for (const { program } of this.#all()) program.tell({ do: command });
  }

  #ask(command: Command["do"], answer: string): Promise<ProgramEvent[]> {
    this.#tellAll(command);
    return Promise.all(
      this.#all().map(({ program, life }) =>
        within(`${answer} of ${life}`, program.event(answer, LIMIT_MS), LIMIT_MS)
      ),
    );
  }

  async #pause(leastMs: number, mostMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#random.between(leastMs, mostMs)));
  }

  /** One of the nodes without a controller. */
  node(): string {
    return this.#random.of(NAMES.filter((name) => name !== HUB));
  }

  /** Starts whoever does not live, the controller first or last. */
  async revive(): Promise<void> {
    const dead = NAMES.filter((name) => !this.#members.has(name));
    if (this.#random.next() < 0.5) dead.reverse();
    await Promise.all(dead.map((name) => this.#start(name)));
  }

  async #start(processName: string): Promise<void> {
    const life = `${processName}.${++this.#lives}`;
    const journal = join(this.#directory, life);
    this.#ledger.add(life, journal);
    const setting: MemberSetting = {
      options: {
        ...(processName === HUB ? this.#where.hub : this.#where.nodes),
        processName,
        initController: processName === HUB,
        reconnect: { minDelayMs: 5, maxDelayMs: 100 },
        heartbeat: { interval: 200, timeout: this.#options.heartbeatTimeoutMs },
      },
      journal,
      life,
      names: NAMES,
      seed: this.#random.between(0, 2 ** 31),
    };
    const flags = ["--allow-all", "--v8-flags=--expose-gc"];
    const program = new Program(MEMBER, setting, { flags, listens: true });
    this.#members.set(processName, { program, life });
    await program.event("ready", LIMIT_MS);
  }

  /** With SIGKILL. */
  async kill(name: string): Promise<void> {
    const { program } = this.#members.get(name)!;
    this.#members.delete(name);
    await program.kill();
  }

  /** With SIGTERM, upon which it ends in order. */
  async stop(name: string): Promise<void> {
    const { program, life } = this.#members.get(name)!;
    program.signal("SIGTERM");
    const { code } = await within(`the end of ${life}`, program.ended(), LIMIT_MS);
    this.#members.delete(name);
    if (code !== 0) throw new Error(`${life} ended with ${code}: ${program.stderr}`);
  }

  /** For a while. */
  async freeze(name: string): Promise<void> {
    const { program } = this.#members.get(name)!;
    program.signal("SIGSTOP");
    await this.#pause(20, 2_500);
    program.signal("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#members.values()].map(({ program }) => program.kill()));
    await Deno.remove(this.#directory, { recursive: true });
  }
}

/** Of a process that does nothing: heartbeats, and a wait for those who were there before. */
const MAX_IDLE_TIMERS = 4;
/** How long connections are being closed at most: the other side of a WebSocket has 2 s for its goodbye. */
const MAX_CLOSING_MS = 5_000;

function timersOf({ timers }: ProgramEvent): readonly string[] {
  return timers as string[];
}
