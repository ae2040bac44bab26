import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { EncodeError } from "../../mod.ts";
import { kindOf, makeValues } from "./fixtures/values.ts";
import { joinHere, overAll, overBoth, startController, startNode } from "./network.ts";

/** Beyond what `assertEquals` compares. */
function assertSame(actual: unknown, expected: unknown, name: string): void {
  assertEquals(kindOf(actual), kindOf(expected), name);
  assertEquals(actual, expected, name);
  if (ArrayBuffer.isView(expected)) {
    const { buffer, byteOffset, byteLength } = expected;
    const view = actual as ArrayBufferView;
    assertEquals(
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
      new Uint8Array(buffer, byteOffset, byteLength),
      name,
    );
  }
  if (!(expected instanceof Error)) return;
  const error = actual as Error;
  assertEquals({ ...error }, { ...expected }, name);
  assertEquals([error.name, error.message], [expected.name, expected.message], name);
  assertEquals(error.stack, expected.stack, name);
  if (expected.cause !== undefined) assertSame(error.cause, expected.cause, `${name}.cause`);
  if (expected instanceof AggregateError) {
    const { errors } = error as AggregateError;
    assertEquals(errors.length, expected.errors.length, name);
    expected.errors.forEach((inner, i) => assertSame(errors[i], inner, `${name}.errors[${i}]`));
  }
}

overAll("every kind of value comes back from another process as what it was", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  const { call } = here.g;
  await here.g.waitProcess("there");

  for (const [name, value] of Object.entries(makeValues())) {
    assertEquals(await call.kindOf(value), kindOf(value), name);
    assertSame(await call.echo(value), value, name);
    assertSame(await call.echo([{ value }]), [{ value }], name);
  }
});

overBoth("every kind of value can be made by another process", async (place) => {
  await using _there = await startNode(place, "there", { initController: true });
  await using here = await joinHere(place);
  await here.g.waitProcess("there");

  const made = await here.g.call.values() as Record<string, unknown>;
  const expected = makeValues();
  assertEquals(Object.keys(made), Object.keys(expected));
  for (const [name, value] of Object.entries(expected)) {
    assertEquals(kindOf(made[name]), kindOf(value), name);
    if (!(value instanceof Error)) assertSame(made[name], value, name);
  }
});

overBoth("an object's key `__proto__` is an ordinary key in another process", async (place) => {
  await using _there = await startNode(place, "there", { initController: true });
  await using here = await joinHere(place);
  await here.g.waitProcess("there");

  const back = await here.g.call.echo(JSON.parse('{ "__proto__": { "admin": true } }'));
  assertEquals(Object.keys(back), ["__proto__"]);
  assertEquals(back.admin, undefined);
  assertEquals(Object.getPrototypeOf(back), Object.prototype);
});

overBoth("what cannot travel is an `EncodeError` that names the path", async (place) => {
  await using _there = await startNode(place, "there", { initController: true });
  await using here = await joinHere(place);
  const { call } = here.g;
  await here.g.waitProcess("there");

  class User {}
  const bad: [unknown, RegExp][] = [
    [{ user: { save() {} } }, /args\[0\]\.user\.save/],
    [[1, Symbol("s")], /args\[0\]\[1\]/],
    [{ user: new User() }, /args\[0\]\.user/],
  ];
  for (const [value, path] of bad) {
    const error = await assertRejects(() => call.echo(value).fg(), EncodeError);
    assertMatch(error.message, path);
    assertEquals(error.executed, "never");
  }
  const error = await assertRejects(() => call.unencodable().fg(), EncodeError);
  assertMatch(error.message, /user\.save/);
  assertEquals([error.executed, error.processName], ["yes", "there"]);
  assertEquals(await call.add(1, 2), 3);
});

overAll("16 MiB come back as they were", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  await here.g.waitProcess("there");

  const sent = new Uint8Array(16 * 1024 * 1024);
  for (let at = 0; at < sent.length; at += 65_536) {
    crypto.getRandomValues(sent.subarray(at, at + 65_536));
  }
  const [first, second] = await Promise.all([here.g.call.echo(sent), here.g.call.echo(sent)]);
  for (const back of [first, second]) {
    assert(back instanceof Uint8Array);
    assertEquals(back.length, sent.length);
    assert(back.every((byte, i) => byte === sent[i]), "the bytes differ");
  }
});
