import { assert, assertEquals } from "@std/assert";
import { Program } from "../helpers/processes.ts";

Deno.test("Scheduler needs a few KiB for a cron task, not a parsed expression for each", async () => {
  const file = new URL("./fixtures/cron_tasks.ts", import.meta.url);
  const flags = ["--allow-all", "--v8-flags=--expose-gc"];
  await using program = new Program(file, undefined, { flags });
  const { MiB, tasks } = await program.event("used");
  assertEquals(tasks, 5_000);
  assert((MiB as number) < 40, `${MiB} MiB`);
});
