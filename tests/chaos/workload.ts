/**
 * What a process of the chaos run does all the time: calls of every sort, each of which is in its
 * journal from its begin to its end.
 *
 * @module
 */

import { BroadcastError, type DaffiError, type Global } from "../../mod.ts";
import type { Journal } from "./journal.ts";
import { Random } from "./random.ts";

const LOOPS = 6;

/** How long a call may take, in milliseconds; more than even a busy machine needs. */
const CALL_TIMEOUT_MS = 20_000;

/** What the sorts of calls need: their id, and the process to call or none. */
type Sort = (id: string, to: { to?: string }) => Promise<unknown>;

/** Calls others. */
export class Workload {
  readonly #g: Global;
  readonly #journal: Journal;
  readonly #life: string;
  readonly #random: Random;
  readonly #names: readonly string[];
  #number = 0;
  #loops: Promise<void>[] = [];
  #attempts = new Set<Promise<unknown>>();
  #resting = true;

  /**
   * @param g Calls by this.
   * @param journal Where calls are written down.
   * @param life The process's name and which of its lives it is.
   * @param names The processes of the network.
   * @param seed What the calls are derived from.
   */
  constructor(g: Global, journal: Journal, life: string, names: readonly string[], seed: number) {
    this.#g = g;
    this.#journal = journal;
    this.#life = life;
    this.#names = names.filter((name) => name !== g.processName);
    this.#random = new Random(seed);
  }

  /** Begins, if it has not yet. */
  work(): void {
    if (!this.#resting) return;
    this.#resting = false;
    this.#loops = Array.from({ length: LOOPS }, () => this.#loop());
  }

  /** Begins no more calls, and resolves when all have settled. */
  async rest(): Promise<void> {
    this.#resting = true;
    await Promise.all(this.#loops);
    while (this.#attempts.size > 0) await Promise.allSettled(this.#attempts); // what relays call
  }

  async #loop(): Promise<void> {
    while (!this.#resting) {
      const kind = this.#random.of(Object.keys(this.#sorts));
      const to = this.#random.next() < 0.6 ? { to: this.#random.of(this.#names) } : {};
      await this.#attempt(kind, to).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, this.#random.between(0, 12)));
    }
  }

  /** One call of each sort to everybody: what should succeed when nothing is wrong. */
  async check(): Promise<string[]> {
    const problems: string[] = [];
    for (const kind of Object.keys(this.#sorts)) {
      if (kind === "late" || kind === "cancelled") continue; // which are meant to fail
      for (const to of this.#names) {
        await this.#attempt(kind, { to }).catch((error) =>
          problems.push(`${kind} from ${this.#g.processName} to ${to}: ${error}`)
        );
      }
    }
    return problems;
  }

  /** Makes a call of some sort, and rejects with what it rejects with. */
  #attempt(kind: string, to: { to?: string }): Promise<unknown> {
    const attempt = this.#call(kind, to).finally(() => this.#attempts.delete(attempt));
    this.#attempts.add(attempt);
    return attempt;
  }

  async #call(kind: string, to: { to?: string }): Promise<unknown> {
    const id = `${this.#life}.${++this.#number}`;
    this.#journal.write("call", id, kind);
    try {
      const result = await this.#sorts[kind]!(id, to);
      this.#journal.write("end", id, "ok", "yes");
      return result;
    } catch (error) {
      const { name, executed = "unknown" } = error as DaffiError;
      if (error instanceof BroadcastError) this.#writeParts(id, error);
      this.#journal.write("end", id, name, executed);
      throw error;
    }
  }

  #writeParts(id: string, { results, errors }: BroadcastError): void {
    for (const name of Object.keys(results)) this.#journal.write("by", id, name, "ok");
    for (const [name, { executed = "unknown" }] of Object.entries(errors)) {
      this.#journal.write("by", id, name, executed);
    }
  }

  /** The callback `relay` calls on, as a process in a pipeline does. */
  relay(): Promise<unknown> {
    return this.#attempt("fg", { to: this.#random.of(this.#names) });
  }

  readonly #sorts: Record<string, Sort> = {
    fg: async (id, to) => {
      same(await this.#g.call.run(id).fg({ ...to, timeout: CALL_TIMEOUT_MS }), id);
    },
    bg: async (id, to) => {
      const result = this.#g.call.run(id).bg({ ...to, timeout: CALL_TIMEOUT_MS });
      const first = await result.get().catch((error: Error) => error);
      same(await result.get().catch((error: Error) => error), first);
      if (first instanceof Error) throw first;
      same(first, id);
    },
    oneWay: async (id, to) => {
      await this.#g.call.run(id).noReturn(to);
    },
    big: async (id, to) => {
      const bytes = new Uint8Array(this.#random.between(1, 300_000));
      const options = { ...to, timeout: CALL_TIMEOUT_MS };
      same(await this.#g.call.size(id, bytes).fg(options), bytes.length);
    },
    broadcast: async (id) => {
      const timeout = CALL_TIMEOUT_MS;
      const results = await this.#g.call.run(id).broadcast({ returnResult: true, timeout });
      for (const result of Object.values(results)) same(result, id);
    },
    stream: async (id) => {
      const items = Array.from({ length: 30 }, (_, index) => `${id}#${index}`);
      await this.#g.call.run(items).stream({ timeout: CALL_TIMEOUT_MS });
    },
    generator: async (id) => {
      const count = this.#random.between(1, 600);
      const take = this.#random.between(1, 800);
      let next = 0;
      const items = this.#g.call.items(id, count) as unknown as AsyncIterable<number>;
      for await (const item of items) {
        same(item, next++);
        if (next >= take) break;
      }
      same(next, Math.min(count, take));
    },
    argument: async (id, to) => {
      const count = this.#random.between(0, 600);
      const items = async function* () {
        for (let i = 0; i < count; i++) yield await i;
      };
      const options = { ...to, timeout: CALL_TIMEOUT_MS };
      same(await this.#g.call.count(id, items()).fg(options), count);
    },
    relay: async (id, to) => {
      await this.#g.call.relay(id).fg({ ...to, timeout: CALL_TIMEOUT_MS });
    },
    late: async (id, to) => {
      await this.#g.call.slow(id, 40).fg({ ...to, timeout: this.#random.between(1, 60) });
    },
    cancelled: async (id, to) => {
      const aborting = new AbortController();
      setTimeout(() => aborting.abort(), this.#random.between(0, 30));
      const options = { ...to, timeout: CALL_TIMEOUT_MS, signal: aborting.signal };
      await this.#g.call.slow(id, 20).fg(options);
    },
  };
}

function same(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new TypeError(`${actual} came instead of ${expected}`);
}
