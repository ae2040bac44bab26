import { SqliteTaskStore } from "../../src/scheduler/sqlite_task_store.ts";
import { MemoryTaskStore } from "../../src/scheduler/task_store.ts";
import { testTaskStore } from "./task_store_contract.ts";

testTaskStore("MemoryTaskStore", () => new MemoryTaskStore());
testTaskStore("SqliteTaskStore", () => new SqliteTaskStore(":memory:"));
