import { PendingTable } from "../../src/node/pending.ts";

for (const waiting of [0, 512, 100_000]) {
  const table = new PendingTable<{ callId: number }>();
  for (let n = 0; n < waiting; n++) table.add({ callId: 0 });
  const call = { callId: 0 };
  Deno.bench(`add(), get() and delete() beside ${waiting} calls`, { group: "pending" }, () => {
    table.add(call);
    if (table.get(call.callId) === call) table.delete(call);
  });
}
