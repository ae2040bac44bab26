import { assertEquals, assertRejects } from "@std/assert";
import { FailedProofs } from "../../src/controller/failed_proofs.ts";
import { Refused } from "../../src/link/accept_node.ts";
import {
  FORGET_PROOFS_AFTER_MS,
  MAX_DELAYED_ADDRESSES,
  MAX_DELAYED_HANDSHAKES,
  MAX_PROOF_DELAY_MS,
} from "../../src/wire/limits.ts";
import { FakeTime } from "../helpers/fake_time.ts";

const STAYS = new Promise<void>(() => {});

/** How long a handshake from an address waits, in milliseconds. */
async function delayOf(time: FakeTime, proofs: FailedProofs, address?: string): Promise<number> {
  const attempt = proofs.begin(address);
  const start = time.now;
  let came = false;
  attempt.turn(STAYS).then(() => came = true);
  await time.runMicrotasks();
  while (!came) await time.tickAsync(1);
  attempt.end();
  return time.now - start;
}

function fail(proofs: FailedProofs, address: string, times = 1): void {
  for (let i = 0; i < times; i++) proofs.begin(address).failed();
}

Deno.test("FailedProofs delays an address after each wrong proof twice as long, up to a limit", async () => {
  using time = new FakeTime();
  const proofs = new FailedProofs(() => time.now);
  const delays: number[] = [];
  for (let i = 0; i < 8; i++) {
    delays.push(await delayOf(time, proofs, "10.0.0.1"));
    fail(proofs, "10.0.0.1");
  }
  assertEquals(delays, [0, 100, 200, 400, 800, 1600, MAX_PROOF_DELAY_MS, MAX_PROOF_DELAY_MS]);
  fail(proofs, "10.0.0.1", 100_000);
  assertEquals(await delayOf(time, proofs, "10.0.0.1"), MAX_PROOF_DELAY_MS);
  assertEquals(time.pending, 0);
});

Deno.test("FailedProofs never delays other addresses, nor those without one", async () => {
  using time = new FakeTime();
  const proofs = new FailedProofs(() => time.now);
  fail(proofs, "10.0.0.1", 10);
  for (const other of ["10.0.0.2", "10.0.0.10", "::1", undefined]) {
    assertEquals(await delayOf(time, proofs, other), 0);
  }
  const nowhere = proofs.begin(undefined);
  nowhere.failed();
  nowhere.end();
  assertEquals(await delayOf(time, proofs, undefined), 0);
});

Deno.test("FailedProofs takes the addresses that begin with the same 64 bits of IPv6 for one", async () => {
  const pairs: [one: string, other: string, same: boolean][] = [
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::9", true],
    ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["2001:db8::1", "2001:db8::ffff", true],
    ["2001:db8::1", "2001:db8:0:1::1", false],
    ["fe80::1%eth0", "fe80::2", true],
    ["::1", "::2", true],
    ["::ffff:10.0.0.1", "::ffff:10.0.0.2", false],
  ];
  for (const [one, other, same] of pairs) {
    using time = new FakeTime();
    const proofs = new FailedProofs(() => time.now);
    fail(proofs, one);
    assertEquals(await delayOf(time, proofs, other) > 0, same, `${one} and ${other}`);
  }
});

Deno.test("FailedProofs waits no longer than the connection is there", async () => {
  using time = new FakeTime();
  const proofs = new FailedProofs(() => time.now);
  fail(proofs, "10.0.0.1", 10);
  const over = Promise.withResolvers<void>();
  const turn = proofs.begin("10.0.0.1").turn(over.promise);
  over.resolve();
  await turn;
  assertEquals(time.pending, 0);
});

Deno.test("FailedProofs refuses handshakes of a delayed address beyond a number, until others end", async () => {
  using time = new FakeTime();
  const proofs = new FailedProofs(() => time.now);
  fail(proofs, "10.0.0.1");
  const attempts = Array.from({ length: MAX_DELAYED_HANDSHAKES }, () => proofs.begin("10.0.0.1"));
  const turns = attempts.map((attempt) => attempt.turn(STAYS));
  const next = proofs.begin("10.0.0.1");
  const refused = await assertRejects(() => next.turn(STAYS), Refused);
  assertEquals(refused.code, "OVERLOADED");
  next.end();
  await time.tickAsync(100);
  await Promise.all(turns); // their time is over, but they have not proved anything yet
  await assertRejects(() => proofs.begin("10.0.0.1").turn(STAYS), Refused);
  attempts[0]!.end();
  attempts[0]!.end();
  await proofs.begin("10.0.0.1").turn(STAYS);
  await assertRejects(() => proofs.begin("10.0.0.1").turn(STAYS), Refused);
});

Deno.test("FailedProofs forgets an address after a while", async () => {
  using time = new FakeTime();
  const proofs = new FailedProofs(() => time.now);
  fail(proofs, "10.0.0.1", 10);
  await time.tickAsync(FORGET_PROOFS_AFTER_MS);
  assertEquals(await delayOf(time, proofs, "10.0.0.1"), 0);
  fail(proofs, "10.0.0.1");
  assertEquals(await delayOf(time, proofs, "10.0.0.1"), 100);
});

Deno.test("FailedProofs remembers a limited number of addresses, the latest", async () => {
  using time = new FakeTime();
  const proofs = new FailedProofs(() => time.now);
  for (let i = 0; i < MAX_DELAYED_ADDRESSES; i++) fail(proofs, `10.0.${i >> 8}.${i & 255}`);
  fail(proofs, "10.0.0.0"); // again: the oldest is another one now
  fail(proofs, "192.168.0.1");
  assertEquals(await delayOf(time, proofs, "10.0.0.1"), 0);
  assertEquals(await delayOf(time, proofs, "10.0.0.0"), 200);
  assertEquals(await delayOf(time, proofs, "192.168.0.1"), 0); // its delay is over by now
  fail(proofs, "192.168.0.1");
  assertEquals(await delayOf(time, proofs, "192.168.0.1"), 200);
});

Deno.test("FailedProofs counts nobody whose connection has ended before its turn", async () => {
  using time = new FakeTime();
  const proofs = new FailedProofs(() => time.now);
  fail(proofs, "10.0.0.1");
  for (let i = 0; i < MAX_DELAYED_HANDSHAKES; i++) {
    const attempt = proofs.begin("10.0.0.1");
    attempt.end();
    await attempt.turn(STAYS);
  }
  assertEquals(await delayOf(time, proofs, "10.0.0.1"), 100);
  assertEquals(time.pending, 0);
});

Deno.test("FailedProofs forgets an address a while after its last wrong proof, not its first", async () => {
  using time = new FakeTime();
  const proofs = new FailedProofs(() => time.now);
  fail(proofs, "10.0.0.1");
  await time.tickAsync(FORGET_PROOFS_AFTER_MS - 1);
  fail(proofs, "10.0.0.1");
  await time.tickAsync(FORGET_PROOFS_AFTER_MS - 1);
  fail(proofs, "10.0.0.1");
  assertEquals(await delayOf(time, proofs, "10.0.0.1"), 400);
});
