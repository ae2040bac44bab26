import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { loadAsyncContexts } from "../../src/internal/async_contexts.ts";
import * as scopes from "../../src/internal/call_scope.ts";

type Module = typeof scopes;

function scope(callId: number): scopes.CallScope {
  return {
    g: undefined,
    caller: "p",
    callbackName: "f",
    callId,
    signal: new AbortController().signal,
    deadline: undefined,
    deadlineAt: Infinity,
  };
}

const [outer, inner] = [scope(1), scope(2)];

await loadAsyncContexts();

/** The module as it is where there is no `AsyncLocalStorage`. */
async function withoutAsyncStorage(): Promise<Module> {
  const url = new URL("../../src/internal/call_scope.ts?synchronous", import.meta.url).href;
  return await import(url);
}

const kinds: [string, () => Promise<Module>][] = [
  ["with AsyncLocalStorage", () => Promise.resolve(scopes)],
  ["without AsyncLocalStorage", withoutAsyncStorage],
];

for (const [where, load] of kinds) {
  Deno.test(`currentScope() is the call that runs, ${where}`, async () => {
    const { currentScope, runInScope } = await load();
    assertEquals(currentScope(), undefined);
    const result = runInScope(outer, () => {
      assertStrictEquals(currentScope(), outer);
      runInScope(inner, () => assertStrictEquals(currentScope(), inner));
      assertStrictEquals(currentScope(), outer);
      return 5;
    });
    assertEquals(result, 5);
    assertEquals(currentScope(), undefined);
  });

  Deno.test(`currentScope() is the outer call again after a throw, ${where}`, async () => {
    const { currentScope, runInScope } = await load();
    runInScope(outer, () => {
      assertThrows(() =>
        runInScope(inner, () => {
          throw new Error("own");
        })
      );
      assertStrictEquals(currentScope(), outer);
    });
    assertEquals(currentScope(), undefined);
  });

  Deno.test(`currentScope() is what runs within a call on the stack, and then that call again, ${where}`, async () => {
    const { currentScope, runInScope, runOnStack, runOutside } = await load();
    runOnStack(outer, () => {
      runInScope(inner, () => assertStrictEquals(currentScope(), inner));
      assertStrictEquals(currentScope(), outer);
      runOutside(() => assertEquals(currentScope(), undefined));
      assertStrictEquals(currentScope(), outer);
    });
    assertEquals(currentScope(), undefined);
  });

  Deno.test(`runInScope() runs as part of no call what comes after the call's end, ${where}`, async () => {
    const { currentScope, endScope, runInScope } = await load();
    const over = scope(3);
    runInScope(over, () => assertStrictEquals(currentScope(), over));
    endScope(over);
    runInScope(over, () => assertEquals(currentScope(), undefined));
  });

  Deno.test(`currentScope() is known before the first await, and unknown outside, ${where}`, async () => {
    const { currentScope, runInScope } = await load();
    const running = runInScope(outer, async () => {
      const before = currentScope();
      await undefined;
      return before;
    });
    assertEquals(currentScope(), undefined);
    assertStrictEquals(await running, outer);
  });
}

Deno.test("currentScope() follows a call through its awaits, timers and promises", async () => {
  const { currentScope, runInScope } = scopes;
  const go = Promise.withResolvers<void>();
  const follow = async (own: scopes.CallScope) => {
    await go.promise;
    assertStrictEquals(currentScope(), own);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertStrictEquals(currentScope(), own);
    await Promise.resolve().then(() => assertStrictEquals(currentScope(), own));
  };
  const running = [outer, inner].map((own) => runInScope(own, () => follow(own)));
  assertEquals(currentScope(), undefined);
  go.resolve();
  await Promise.all(running);
  assertEquals(currentScope(), undefined);
});

Deno.test("keepScope() leaves the context of another call alone", () => {
  const { currentScope, keepScope, runInScope, runOnStack } = scopes;
  runInScope(outer, () => {
    runOnStack(inner, () => {});
    keepScope(inner);
    assertStrictEquals(currentScope(), outer);
  });
});

Deno.test("currentScope() forgets the call at its first await without AsyncLocalStorage", async () => {
  const { currentScope, runInScope } = await withoutAsyncStorage();
  assert(currentScope !== scopes.currentScope);
  await runInScope(outer, async () => {
    await undefined;
    assertEquals(currentScope(), undefined);
  });
});
