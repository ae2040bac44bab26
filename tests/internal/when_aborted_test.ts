import { assertEquals } from "@std/assert";
import { whenAborted } from "../../src/internal/when_aborted.ts";

/** A signal that counts what the runtime has to look through. */
function counted(): { controller: AbortController; added: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  let added = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  Object.assign(signal, {
    addEventListener: (type: string, listener: () => void) => (added++, add(type, listener)),
    removeEventListener: (type: string, listener: () => void) => (added--, remove(type, listener)),
  });
  return { controller, added: () => added };
}

Deno.test("whenAborted() tells everybody who listens, in the order in which they came, by one listener", () => {
  const { controller, added } = counted();
  const told: number[] = [];
  const stops = [1, 2, 3, 4].map((n) =>
    whenAborted(controller.signal, () => {
      told.push(n);
      stops[n - 1]!(); // as a call does that is over
    })
  );
  assertEquals(added(), 1);
  stops[1]!();
  controller.abort();
  assertEquals([told, added()], [[1, 3, 4], 0]);
});

Deno.test("whenAborted() leaves nothing behind when nobody listens any more, and begins anew", () => {
  const { controller, added } = counted();
  let told = 0;
  for (let i = 0; i < 3; i++) {
    const stop = whenAborted(controller.signal, () => told++);
    assertEquals(added(), 1);
    stop();
    stop();
    assertEquals(added(), 0);
  }
  whenAborted(controller.signal, () => told++);
  controller.abort();
  assertEquals([told, added()], [1, 1]);
});
