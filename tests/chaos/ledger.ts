/**
 * Whether what the processes have written down agrees with what is promised.
 *
 * @module
 */

import { JournalReader } from "./journal.ts";

interface Call {
  readonly kind: string;
  readonly ends: { outcome: string; executed: string }[];
  /** What processes did for a broadcast of which something failed. */
  readonly parts: [process: string, did: string][];
}

/** What may become of a call when processes and connections are lost. */
const ALLOWED = new Set([
  ...["ok", "PeerLostError", "CallTimeoutError", "CallCancelledError", "BroadcastError"],
  ...["CallbackNotFoundError", "ProcessNotFoundError", "RemoteCallError", "GlobalContextError"],
]);

/** Sorts of calls that go to everybody. */
const TO_ALL = new Set(["broadcast", "stream"]);

/** What was counted, for people. */
export interface LedgerCounts {
  calls: number;
  runs: number;
  /** How often calls ended how. */
  outcomes: Record<string, number>;
}

/** Reads the journals of all lives, and compares them. */
export class Ledger {
  /** What was counted so far. */
  readonly counts: LedgerCounts = { calls: 0, runs: 0, outcomes: {} };
  readonly #readers = new Map<string, JournalReader>();
  /** The last call of each life that began in each life, `<caller> <callee>`. */
  readonly #last = new Map<string, number>();
  #calls = new Map<string, Call>();
  /** The lives in which a call was run, by its id. */
  #runs = new Map<string, string[]>();
  #problems: string[] = [];

  /** A process has begun a life. */
  add(life: string, journal: string): void {
    Deno.writeTextFileSync(journal, "");
    this.#readers.set(life, new JournalReader(journal));
  }

  /**
   * Compares what was written since the last time; nothing may be under way.
   *
   * @param alive The lives that go on, whose calls must all have settled.
   * @param lossless Whether nothing was killed, frozen or stopped meanwhile.
   * @returns What is wrong.
   */
  check(alive: ReadonlySet<string>, lossless: boolean): string[] {
    for (const [life, reader] of this.#readers) {
      for (const words of reader.read()) this.#take(life, words);
      if (!alive.has(life)) this.#readers.delete(life);
    }
    for (const [id, call] of this.#calls) this.#checkCall(id, call, alive, lossless);
    for (const id of this.#runs.keys()) {
      if (!this.#calls.has(callOf(id))) this.#problems.push(`${id} was run and never called`);
    }
    const problems = this.#problems;
    this.#calls = new Map();
    this.#runs = new Map();
    this.#problems = [];
    return problems;
  }

  /** Calls of these lives that have not settled, as of what was read now. */
  unsettled(): string[] {
    for (const [life, reader] of this.#readers) {
      for (const words of reader.read()) this.#take(life, words);
    }
    return [...this.#calls].filter(([, { ends }]) => ends.length === 0)
      .map(([id, { kind }]) => `${kind} ${id}`);
  }

  #take(life: string, [what, id = "", ...words]: string[]): void {
    const [first = "", second = ""] = words;
    switch (what) {
      case "call":
        this.counts.calls++;
        this.#calls.set(id, { kind: first, ends: [], parts: [] });
        break;
      case "end":
        this.counts.outcomes[first] = (this.counts.outcomes[first] ?? 0) + 1;
        this.#calls.get(id)?.ends.push({ outcome: first, executed: second });
        break;
      case "by":
        this.#calls.get(id)?.parts.push([first, second]);
        break;
      case "run":
        this.counts.runs++;
        this.#run(life, id);
    }
  }

  #run(life: string, id: string): void {
    const lives = this.#runs.get(id) ?? [];
    this.#runs.set(id, [...lives, life]);
    // Items of a stream follow each other without a gap; calls begin in the order of their numbers.
    const isItem = id.includes("#");
    const pair = isItem ? `${callOf(id)} ${life}` : `${callerOf(id)} ${life}`;
    const number = Number(isItem ? id.split("#")[1] : id.split(".").at(-1));
    const last = this.#last.get(pair) ?? (isItem ? -1 : 0);
    this.#last.set(pair, number);
    if (isItem ? number === last + 1 : number > last) return;
    this.#problems.push(`in ${life}, ${id} began after ${last}`);
  }

  #checkCall(id: string, call: Call, alive: ReadonlySet<string>, lossless: boolean): void {
    const { kind, ends, parts } = call;
    const wrong = (what: string) => this.#problems.push(`${kind} ${id} ${what}`);
    const lives = this.#runs.get(kind === "stream" ? `${id}#0` : id) ?? [];
    const processes = lives.map(processOf);
    if (new Set(processes).size < processes.length) wrong(`was run twice by one of ${lives}`);
    if (!TO_ALL.has(kind) && lives.length > 1) wrong(`was run by ${lives}`);
    if (ends.length > 1) wrong("settled more than once");
    const [end] = ends;
    if (end === undefined) {
      if (alive.has(callerOf(id))) wrong("never settled");
      return;
    }
    const { outcome, executed } = end;
    if (!ALLOWED.has(outcome)) wrong(`ended with ${outcome}`);
    if (outcome === "ok" && lives.length === 0 && (kind !== "oneWay" || lossless)) {
      wrong("was answered and never run");
    }
    if (executed === "unknown" && outcome !== "BroadcastError") wrong(`does not say if it was run`);
    if (outcome !== "ok" && !TO_ALL.has(kind)) {
      if (executed === "never" && lives.length > 0) wrong(`was run by ${lives}: ${outcome} never`);
      if (executed === "yes" && lives.length === 0) wrong(`was never run: ${outcome} yes`);
    }
    for (const [process, did] of parts) {
      const was = processes.includes(process);
      if (was ? did === "never" : did === "ok" || did === "yes") wrong(`on ${process}: ${did}`);
    }
    if (lossless && outcome !== "ok" && kind !== "late" && kind !== "cancelled") {
      wrong(`failed with ${outcome} though nothing was lost`);
    }
  }
}

const callOf = (id: string): string => id.split("#")[0]!;
const callerOf = (id: string): string => id.slice(0, id.lastIndexOf("."));
const processOf = (life: string): string => life.slice(0, life.lastIndexOf("."));
