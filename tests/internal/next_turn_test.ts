import { assert } from "@std/assert";
import "../../src/full_global.ts";
import { nextTurn } from "../../src/internal/next_turn.ts";

/** Longer than what has come in is left alone. */
const LONG_MS = 60;

Deno.test("nextTurn() has what has come in looked at, however long each turn takes", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const here = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const there = await accepting;
  let came = 0;
  const reading = (async () => {
    for (const into = new Uint8Array(1); await there.read(into) !== null; came++);
  })();
  for (let turn = 1; turn <= 10; turn++) {
    await here.write(new Uint8Array(1));
    const until = performance.now() + LONG_MS;
    while (performance.now() < until);
    await nextTurn();
  }
  const inTime = came;
  here.close();
  await reading;
  there.close();
  assert(inTime >= 5, `${inTime} of ${came}`);
});
