/**
 * Tasks in a SQLite file, through the runtime's own `node:sqlite`.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { builtinModule } from "../internal/builtin_module.ts";
import { show } from "../internal/show.ts";
import { compileCron } from "./cron.ts";
import type { TaskRecord } from "./task.ts";
import { asSpec, MAX_TIME_MS } from "./task_request.ts";
import type { TaskStore } from "./task_store.ts";

/** Marks the file as ours: "daff". */
const APPLICATION_ID = 0x64616666;
const SCHEMA_VERSION = 1;

/** What SQLite says of a file that somebody else holds; there are kinds of it, told by higher bits. */
const SQLITE_BUSY = 5;

/** The part of `node:sqlite` that is used here. */
interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface Statement {
  all(...values: unknown[]): Record<string, unknown>[];
  get(...values: unknown[]): Record<string, unknown> | undefined;
  run(...values: unknown[]): unknown;
}

/**
 * Keeps tasks in a file. Each change is on the disk when the method returns; the file belongs to one
 * process at a time.
 */
export class SqliteTaskStore implements TaskStore {
  #path: string;
  #database: Database;
  #save: Statement;
  #remove: Statement;
  #closed = false;

  /**
   * Opens or creates the file.
   *
   * @param path The file.
   * @throws {InitializationError} when it is damaged, somebody else's, or in use; it is left as it is.
   */
  constructor(path: string) {
    this.#path = path;
    let database: Database | undefined;
    try {
      database = open(path);
      prepare(database);
      this.#save = database.prepare(
        "INSERT INTO tasks (uuid, args, record) VALUES (?, ?, ?) " +
          "ON CONFLICT (uuid) DO UPDATE SET args = excluded.args, record = excluded.record",
      );
      this.#remove = database.prepare("DELETE FROM tasks WHERE uuid = ?");
    } catch (error) {
      database?.close();
      throw this.#unusable(error);
    }
    this.#database = database;
  }

  #unusable(error: unknown): InitializationError {
    const { errcode, message = String(error) } = error as Error & { errcode?: number };
    const why = (errcode! & 0xff) === SQLITE_BUSY
      ? "another process uses it, or another Global of this one; each needs a file of its own"
      : message;
    return new InitializationError(`Cannot use the task store ${this.#path}: ${why}`, {
      cause: error,
    });
  }

  /** See {@linkcode TaskStore.load}. */
  load(): TaskRecord[] {
    try {
      return this.#database.prepare("SELECT uuid, args, record FROM tasks").all().map(readRow);
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  /** See {@linkcode TaskStore.save}. */
  save({ uuid, args, ...rest }: TaskRecord): void {
    this.#save.run(uuid, args, JSON.stringify(rest));
  }

  /** See {@linkcode TaskStore.remove}. */
  remove(uuid: string): void {
    this.#remove.run(uuid);
  }

  /** See {@linkcode TaskStore.close}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#database.close();
  }
}

function open(path: string): Database {
  const sqlite = builtinModule<{ DatabaseSync: new (path: string) => Database }>("node:sqlite");
  if (sqlite === undefined) {
    throw new Error("this runtime has no node:sqlite");
  }
  return new sqlite.DatabaseSync(path);
}

function prepare(database: Database): void {
  // Nothing is written before the file is known to be ours or empty. What is read after a crash needs no file beside
  // it that way, for which a full disk would have no room.
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  const pragma = (name: string) => database.prepare(`PRAGMA ${name}`).get()![name];
  const tables = database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()!.n;
  const isNew = tables === 0 && pragma("application_id") === 0 && pragma("user_version") === 0;
  if (!isNew && pragma("application_id") !== APPLICATION_ID) {
    throw new Error("it is the file of another program");
  }
  if (!isNew && pragma("user_version") !== SCHEMA_VERSION) {
    throw new Error(`it is of version ${pragma("user_version")}, not ${SCHEMA_VERSION}`);
  }
  // Told now rather than when a task in a damaged page is to be recorded; 100,000 tasks take 40 ms.
  const state = pragma("quick_check");
  if (state !== "ok") throw new Error(`it is damaged: ${state}`);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec("BEGIN EXCLUSIVE");
  if (isNew) {
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    database.exec(
      "CREATE TABLE tasks (uuid TEXT PRIMARY KEY, args BLOB NOT NULL, record TEXT NOT NULL) STRICT",
    );
  }
  database.exec("COMMIT");
}

/** @throws {InitializationError} when a row is no task. */
function readRow({ uuid, args, record }: Record<string, unknown>): TaskRecord {
  try {
    const rest = JSON.parse(record as string);
    const spec = asSpec({ ...rest, uuid, args }, compileCron);
    const { owner, createdMs, nextMs, waitingMs = [], lastRunMs } = rest;
    const { runs, skipped, failures, lastError, paused, uuidGiven } = rest;
    if (![createdMs, runs, skipped, failures].every(Number.isFinite)) throw new Error("a count");
    if (!Array.isArray(waitingMs)) throw new Error("a list");
    if (![nextMs, lastRunMs, ...waitingMs].every(isOptionalTime)) throw new Error("a time");
    return {
      ...spec,
      uuid: spec.uuid!,
      uuidGiven: uuidGiven === true,
      ...{ owner: String(owner), createdMs, nextMs, waitingMs, lastRunMs },
      ...{ runs, skipped, failures },
      lastError: lastError === undefined ? undefined : String(lastError).toWellFormed(), // it may travel
      paused: paused === true,
    };
  } catch (error) {
    throw new InitializationError(`the task ${show(uuid)} in it is damaged`, { cause: error });
  }
}

function isOptionalTime(value: unknown): boolean {
  return value === undefined ||
    (Number.isFinite(value) && Math.abs(value as number) <= MAX_TIME_MS);
}
