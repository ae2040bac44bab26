import { compileCron } from "../../src/scheduler/cron.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { DatabaseSync } from "node:sqlite";
import { InitializationError } from "../../src/errors.ts";
import { openTaskStore } from "../../src/scheduler/open_task_store.ts";
import { Scheduler } from "../../src/scheduler/scheduler.ts";
import { SqliteTaskStore } from "../../src/scheduler/sqlite_task_store.ts";
import { MemoryTaskStore } from "../../src/scheduler/task_store.ts";
import { atTime, interval, Rig, uuid } from "./rig.ts";
import { record } from "./task_store_contract.ts";
import { withPath } from "../helpers/with_path.ts";

function withStore(path: string, fn: (store: SqliteTaskStore) => void): void {
  const store = new SqliteTaskStore(path);
  try {
    fn(store);
  } finally {
    store.close();
  }
}

function withDatabase<T>(path: string, fn: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path);
  try {
    return fn(database);
  } finally {
    database.close();
  }
}

/** Checks that a file is refused by an error that names it, and stays what it was. */
function assertRefused(path: string, why: string): void {
  const before = Deno.readFileSync(path);
  const error = assertThrows(
    () => withStore(path, (store) => store.load()),
    InitializationError,
    `Cannot use the task store ${path}`,
  );
  assert(error.message.includes(why), error.message);
  assertEquals(Deno.readFileSync(path), before);
}

Deno.test("SqliteTaskStore has its tasks again when it is opened again", async () => {
  await withPath((path) => {
    const args = crypto.getRandomValues(new Uint8Array(60_000));
    withStore(path, (store) => {
      store.save(record(1, { args }));
      store.save(record(2));
      store.save(record(3));
      store.remove(uuid(2));
      store.save(record(1, { args, runs: 3 }));
    });
    withStore(path, (store) => {
      assertEquals(store.load(), [record(1, { args, runs: 3 }), record(3)]);
    });
  });
});

Deno.test("SqliteTaskStore has what it has returned from, without being closed", async () => {
  await withPath((path) => {
    withStore(path, (store) => {
      store.save(record(1));
      store.save(record(2));
      const copy = `${path}.copy`;
      for (const end of ["", "-wal"]) {
        try {
          Deno.copyFileSync(path + end, copy + end);
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      }
      withStore(copy, (asAfterACrash) => assertEquals(asAfterACrash.load().length, 2));
    });
  });
});

Deno.test("SqliteTaskStore takes an empty file", async () => {
  await withPath((path) => {
    Deno.writeFileSync(path, new Uint8Array(0));
    withStore(path, (store) => store.save(record(1)));
    withStore(path, (store) => assertEquals(store.load(), [record(1)]));
  });
});

Deno.test("SqliteTaskStore refuses a file that is no database", async () => {
  await withPath((path) => {
    Deno.writeTextFileSync(path, "Dear diary, ".repeat(1_000));
    assertRefused(path, "not a database");
  });
});

Deno.test("SqliteTaskStore refuses the database of another program", async () => {
  await withPath((path) => {
    withDatabase(path, (database) => database.exec("CREATE TABLE tasks (uuid, args, record)"));
    assertRefused(path, "another program");
  });
});

Deno.test("SqliteTaskStore refuses an empty database that another program has marked", async () => {
  await withPath((path) => {
    withDatabase(path, (database) => database.exec("PRAGMA application_id = 7"));
    assertRefused(path, "another program");
  });
});

Deno.test("SqliteTaskStore refuses an empty database to which another program gave a version", async () => {
  await withPath((path) => {
    withDatabase(path, (database) => database.exec("PRAGMA user_version = 1"));
    assertRefused(path, "another program");
  });
});

Deno.test("SqliteTaskStore refuses a file whose index is damaged, though every row can be read", async () => {
  await withPath((path) => {
    withStore(path, (store) => {
      for (let n = 0; n < 200; n++) store.save(record(n));
    });
    const index = withDatabase(
      path,
      (database) =>
        database.prepare("SELECT rootpage AS page FROM sqlite_schema WHERE type = 'index'").get(),
    )!.page as number;
    const bytes = Deno.readFileSync(path);
    bytes.fill(0xff, (index - 1) * 4096, index * 4096);
    Deno.writeFileSync(path, bytes);
    assertRefused(path, "");
  });
});

Deno.test("SqliteTaskStore makes an error well-formed that it has kept", async () => {
  await withPath((path) => {
    withStore(path, (store) => store.save(record(1, { lastError: "cut \ud83d" })));
    withStore(path, (store) => assertEquals(store.load()[0]!.lastError, "cut \ufffd"));
  });
});

Deno.test("SqliteTaskStore refuses the database of another version", async () => {
  await withPath((path) => {
    withStore(path, (store) => store.save(record(1)));
    withDatabase(path, (database) => database.exec("PRAGMA user_version = 2"));
    assertRefused(path, "version 2");
  });
});

Deno.test("SqliteTaskStore refuses a file whose pages are damaged", async () => {
  await withPath((path) => {
    withStore(path, (store) => {
      for (let n = 0; n < 200; n++) store.save(record(n));
    });
    const bytes = Deno.readFileSync(path);
    crypto.getRandomValues(bytes.subarray(4096, 4096 + 60_000));
    Deno.writeFileSync(path, bytes);
    assertRefused(path, "");
  });
});

Deno.test("SqliteTaskStore refuses a file that is cut off", async () => {
  await withPath((path) => {
    withStore(path, (store) => {
      for (let n = 0; n < 200; n++) store.save(record(n));
    });
    Deno.truncateSync(path, 5_000);
    assertRefused(path, "");
  });
});

for (
  const [what, row] of [
    ["no JSON", "{"],
    ["no object", "null"],
    ["nothing of a task", "{}"],
    ["an unknown trigger", JSON.stringify({ ...record(1), trigger: { type: "sometimes" } })],
    ["an unreadable cron", JSON.stringify({ ...record(1), trigger: { type: "cron" } })],
    ["a time that is none", JSON.stringify({ ...record(1), nextMs: "soon" })],
    ["a time that no date can hold", JSON.stringify({ ...record(1), nextMs: 1e16 })],
    ["waiting runs that are no list", JSON.stringify({ ...record(1), waitingMs: "" })],
    ["a waiting run without a time", JSON.stringify({ ...record(1), waitingMs: [null] })],
    ["a count that is none", JSON.stringify({ ...record(1), runs: null })],
  ] as const
) {
  Deno.test(`SqliteTaskStore refuses a file with a row that is ${what}`, async () => {
    await withPath((path) => {
      withStore(path, (store) => store.save(record(1)));
      withDatabase(path, (database) => database.prepare("UPDATE tasks SET record = ?").run(row));
      assertRefused(path, uuid(1));
    });
  });
}

Deno.test("SqliteTaskStore takes a task of which nothing was kept about runs that wait", async () => {
  await withPath((path) => {
    withStore(path, (store) => store.save(record(1)));
    withDatabase(path, (database) => {
      database.exec("UPDATE tasks SET record = json_remove(record, '$.waitingMs')");
    });
    withStore(path, (store) => assertEquals(store.load(), [record(1)]));
  });
});

Deno.test("SqliteTaskStore refuses a file that is in use, and leaves it to its user", async () => {
  await withPath((path) => {
    withStore(path, (store) => {
      store.save(record(1));
      assertThrows(
        () => new SqliteTaskStore(path),
        InitializationError,
        `Cannot use the task store ${path}: another process uses it`,
      );
      store.save(record(2));
      assertEquals(store.load().length, 2);
    });
  });
});

Deno.test("SqliteTaskStore refuses a directory that does not exist", async () => {
  await withPath((path) => {
    assertThrows(
      () => new SqliteTaskStore(join(path, "tasks.db")),
      InitializationError,
      "Cannot use the task store",
    );
  });
});

Deno.test("SqliteTaskStore lets go of a file that it has refused", async () => {
  await withPath((path) => {
    withStore(path, (store) => store.save(record(1)));
    withDatabase(path, (database) => database.exec("ALTER TABLE tasks RENAME TO others"));
    assertThrows(() => new SqliteTaskStore(path), InitializationError, "tasks");
    withDatabase(path, (database) => database.exec("ALTER TABLE others RENAME TO tasks"));
    withStore(path, (store) => assertEquals(store.load(), [record(1)]));
  });
});

Deno.test("Scheduler lets go of the file when a task in it is damaged", async () => {
  await withPath((path) => {
    withStore(path, (store) => store.save(record(1)));
    withDatabase(path, (database) => database.exec("UPDATE tasks SET record = '{}'"));
    assertThrows(() => new Rig(new SqliteTaskStore(path)), InitializationError);
    withDatabase(path, (database) => database.exec("DELETE FROM tasks"));
    withStore(path, (store) => assertEquals(store.load(), []));
  });
});

Deno.test("Scheduler goes on with the tasks of a file", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = join(directory, "tasks.db");
    let task: string;
    {
      using rig = new Rig(new SqliteTaskStore(path));
      task = rig.create(interval(1000), { maxRuns: 3 });
      await rig.pass(1500);
    }
    using rig = new Rig(new SqliteTaskStore(path));
    assertEquals(rig.info(task)!.runs, 1);
    await rig.pass(10_000); // of a clock that begins anew
    assertEquals(rig.ranAt, [1000, 2000]);
    assertEquals(rig.store.load(), []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Scheduler goes on with runs that wait, and with what has ended, of a file", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = join(directory, "tasks.db");
    const schedule = (rig: Rig) => {
      rig.create(atTime(1000), { uuid: uuid(1) });
      rig.create(atTime(1000, 2000), { uuid: uuid(2), overlap: "queue" });
    };
    {
      using rig = new Rig(new SqliteTaskStore(path));
      rig.onRun = () => {};
      schedule(rig);
      await rig.pass(2500);
      assertEquals(rig.runs.length, 2);
    }
    using rig = new Rig(new SqliteTaskStore(path)); // whose clock begins anew
    schedule(rig);
    await rig.pass(10_000);
    assertEquals(rig.runs.map((run) => [run.uuid, run.at]), [[uuid(2), 2000]]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("openTaskStore() gives memory, a file, or the store itself", async () => {
  await withPath((path) => {
    assert(openTaskStore(undefined) instanceof MemoryTaskStore);
    assert(openTaskStore("memory") instanceof MemoryTaskStore);
    const file = openTaskStore(path);
    assert(file instanceof SqliteTaskStore);
    file.close();
    const own = new MemoryTaskStore();
    assertEquals(openTaskStore(own), own);
  });
});

Deno.test("Scheduler holds the file until it is closed", async () => {
  await withPath((path) => {
    const scheduler = new Scheduler({
      store: new SqliteTaskStore(path),
      offers: () => true,
      run: () => Promise.resolve(),
      onFailure: () => {},
      logger: console,
      compileCron,
    });
    assertThrows(() => new SqliteTaskStore(path), InitializationError);
    scheduler.close();
    withStore(path, (store) => assertEquals(store.load(), []));
  });
});
