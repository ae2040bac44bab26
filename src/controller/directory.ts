/**
 * Who offers what in the network.
 *
 * @module
 */

import { OverloadedError } from "../errors.ts";
import type { DirectoryChange, NamedCallback, ProcessEntry } from "../wire/control.ts";
import { MAX_DIRECTORY_BYTES, MAX_WITHDRAWN } from "../wire/limits.ts";

/** What an entry takes in `WELCOME` besides its text. */
const ENTRY_BYTES = 16;

/** The highest number that a frame can carry. */
const MAX_ID = 0xffffffff;

const utf8 = new TextEncoder();

interface Name {
  readonly id: number;
  readonly text: string;
  readonly providers: Set<number>;
}

interface Process {
  readonly name: string;
  readonly offers: Map<string, Name>;
  /** What tells a node of it; made when it is first asked for, and kept until it changes. */
  entry: ProcessEntry | undefined;
}

/**
 * The directory as only the controller may change it. Each change is returned as the frame's
 * payload that tells the nodes. A name has a number as long as somebody offers it, and neither
 * names' nor processes' numbers are used twice before four billion others were.
 */
export class Directory {
  #processes = new Map<number, Process>();
  #names = new Map<string, Name>();
  #namesById = new Map<number, Name>();
  /** What was withdrawn of late, by process and number. */
  #withdrawn = new Map<string, string>();
  /** The same of somewhat earlier. */
  #withdrawnBefore = new Map<string, string>();
  #lastProcessId: number;
  #lastNameId: number;
  #bytes = 0;

  /** @param lastId The number before the first ones; another one only in tests. */
  constructor(lastId = 0) {
    this.#lastProcessId = this.#lastNameId = lastId;
  }

  /**
   * Adds a process with its callbacks.
   *
   * @throws {OverloadedError} when the directory is full.
   */
  join(name: string, callbacks: readonly string[]): DirectoryChange & { type: "join" } {
    this.#checkRoom([name, ...callbacks]);
    const id = this.#lastProcessId = following(this.#lastProcessId, this.#processes);
    this.#bytes += sizeOf(name);
    this.#processes.set(id, { name, offers: new Map(), entry: undefined });
    return { type: "join", process: [id, name, this.#offer(id, callbacks)] };
  }

  /** Removes a process. */
  leave(id: number, graceful: boolean): DirectoryChange {
    const process = this.#processes.get(id);
    if (process !== undefined) {
      this.#withdraw(id, [...process.offers.keys()]);
      this.#bytes -= sizeOf(process.name);
    }
    this.#processes.delete(id);
    return { type: "leave", id, graceful };
  }

  /**
   * Adds callbacks to a process; `undefined` if it offers them all already.
   *
   * @throws {OverloadedError} when the directory is full.
   */
  offer(id: number, callbacks: readonly string[]): DirectoryChange | undefined {
    this.#checkRoom(callbacks);
    const added = this.#offer(id, callbacks);
    return added.length === 0 ? undefined : { type: "offer", id, callbacks: added };
  }

  /** Takes callbacks from a process; `undefined` if it offers none of them. */
  withdraw(id: number, callbacks: readonly string[]): DirectoryChange | undefined {
    const removed = this.#withdraw(id, callbacks);
    for (const [nameId, text] of removed) this.#remember(keyOf(id, nameId), text);
    return removed.length === 0
      ? undefined
      : { type: "withdraw", id, callbacks: removed.map(([nameId]) => nameId) };
  }

  /** How many callbacks a process offers. */
  countOf(id: number): number {
    return this.#processes.get(id)?.offers.size ?? 0;
  }

  /** A callback that a process offers, by its number; or has just withdrawn, for who stops still runs what comes. */
  nameOf(id: number, nameId: number): string | undefined {
    const name = this.#namesById.get(nameId);
    if (name?.providers.has(id)) return name.text;
    const key = keyOf(id, nameId);
    return this.#withdrawn.get(key) ?? this.#withdrawnBefore.get(key);
  }

  /** The processes that offer a name. */
  providersOf(nameId: number): ReadonlySet<number> {
    return this.#namesById.get(nameId)?.providers ?? NOBODY;
  }

  /** The whole directory. */
  snapshot(): ProcessEntry[] {
    // Of its size from the beginning: one is made for each who joins, and growing it is garbage.
    const entries = new Array<ProcessEntry>(this.#processes.size);
    let at = 0;
    for (const [id, process] of this.#processes) {
      entries[at++] = process.entry ??= entryOf(id, process);
    }
    return entries;
  }

  #checkRoom(texts: readonly string[]): void {
    const bytes = texts.reduce((sum, text) => sum + sizeOf(text), this.#bytes);
    if (bytes <= MAX_DIRECTORY_BYTES) return;
    throw new OverloadedError(
      `The directory would have ${bytes} bytes, at most ${MAX_DIRECTORY_BYTES} are possible`,
    );
  }

  #offer(id: number, callbacks: readonly string[]): NamedCallback[] {
    const process = this.#processes.get(id)!;
    const { offers } = process;
    process.entry = undefined;
    const added: NamedCallback[] = [];
    for (const text of callbacks) {
      if (offers.has(text)) continue;
      const name = this.#names.get(text) ?? this.#newName(text);
      name.providers.add(id);
      offers.set(text, name);
      this.#bytes += sizeOf(text);
      added.push([name.id, text]);
    }
    return added;
  }

  #newName(text: string): Name {
    this.#lastNameId = following(this.#lastNameId, this.#namesById);
    const name: Name = { id: this.#lastNameId, text, providers: new Set() };
    this.#names.set(text, name);
    this.#namesById.set(name.id, name);
    return name;
  }

  #withdraw(id: number, callbacks: readonly string[]): NamedCallback[] {
    const process = this.#processes.get(id)!;
    const { offers } = process;
    process.entry = undefined;
    const removed: NamedCallback[] = [];
    for (const text of callbacks) {
      const name = offers.get(text);
      if (name === undefined) continue;
      offers.delete(text);
      this.#bytes -= sizeOf(text);
      name.providers.delete(id);
      removed.push([name.id, text]);
      if (name.providers.size === 0) {
        this.#names.delete(text);
        this.#namesById.delete(name.id);
      }
    }
    return removed;
  }

  #remember(key: string, text: string): void {
    this.#withdrawn.set(key, text);
    if (this.#withdrawn.size < MAX_WITHDRAWN) return;
    this.#withdrawnBefore = this.#withdrawn;
    this.#withdrawn = new Map();
  }
}

function keyOf(id: number, nameId: number): string {
  return `${id}/${nameId}`;
}

function entryOf(id: number, { name, offers }: Process): ProcessEntry {
  return [id, name, Array.from(offers.values(), (offered) => [offered.id, offered.text])];
}

function sizeOf(text: string): number {
  return ENTRY_BYTES + utf8.encode(text).length;
}

/** The number after `id` that is not used at present. */
export function following(id: number, used: ReadonlyMap<number, unknown>): number {
  do id = id === MAX_ID ? 1 : id + 1; while (used.has(id));
  return id;
}

const NOBODY: ReadonlySet<number> = new Set();
