import { assert, assertEquals } from "@std/assert";
import { AdaptiveSpin } from "../../src/transport/adaptive_spin.ts";

const TURN_MS = 0.0015;
const SPIN_MS = 8 * TURN_MS;
const SOON_MS = 3 * SPIN_MS;
const LATE_MS = 6 * SPIN_MS;

/** A conversation in time that only passes while somebody spins or waits. */
class Conversation {
  #nowMs = 1;
  #turns = 0;
  readonly spin = new AdaptiveSpin(() => this.#nowMs, () => {
    this.#turns++;
    this.#nowMs += TURN_MS;
    return Promise.resolve();
  });

  /** Writes, and tells for how many turns that keeps the writer awake. */
  async write(bytes = 30): Promise<number> {
    const turns = this.#turns;
    this.spin.writes(bytes);
    for (let i = 0; i < 20; i++) await Promise.resolve();
    return this.#turns - turns;
  }

  /** Writes and is answered. */
  async exchange(answerAfterMs: number): Promise<number> {
    const startMs = this.#nowMs;
    const turns = await this.write();
    this.#nowMs = startMs + answerAfterMs;
    this.spin.came();
    return turns;
  }

  /** How many of so many exchanges keep it awake. */
  async awake(exchanges: number, answerAfterMs: (i: number) => number): Promise<number> {
    let awake = 0;
    for (let i = 0; i < exchanges; i++) {
      if (await this.exchange(answerAfterMs(i)) > 0) awake++;
    }
    return awake;
  }
}

const soon = () => SOON_MS;
const late = () => LATE_MS;

async function asked(): Promise<Conversation> {
  const conversation = new Conversation();
  await conversation.write();
  conversation.spin.came();
  return conversation;
}

Deno.test("who answers stays awake for eight turns, as long as the next question comes soon", async () => {
  const conversation = await asked();
  assertEquals(await conversation.exchange(SOON_MS), 8);
  assertEquals(await conversation.awake(1000, soon), 1000);
});

Deno.test("who writes first, much, or again before something has come sleeps", async () => {
  assertEquals(await new Conversation().write(), 0);
  const conversation = await asked();
  assertEquals(await conversation.write(513), 0);
  conversation.spin.came();
  assertEquals(await conversation.write(512), 8);
  assertEquals(await conversation.write(), 0);
});

Deno.test("who talks to several others sleeps", async () => {
  const [one, other] = [await asked(), await asked()];
  assertEquals(await one.exchange(SOON_MS), 0);
  assertEquals(await one.exchange(SOON_MS), 8);
  assertEquals(await other.exchange(SOON_MS), 0);
  assertEquals(await one.exchange(SOON_MS), 0);
});

Deno.test("where answers are late it sleeps after 16 of them, and tries again after 4,096", async () => {
  const conversation = await asked();
  for (let round = 0; round < 2; round++) {
    assertEquals(await conversation.awake(16, late), 16);
    assertEquals(await conversation.awake(4096, late), 0);
  }
});

Deno.test("an answer that comes in pieces counts once", async () => {
  const conversation = await asked();
  for (let i = 0; i < 16; i++) {
    assertEquals(await conversation.exchange(LATE_MS), 8);
    for (let piece = 0; piece < 3; piece++) conversation.spin.came();
  }
  assertEquals(await conversation.awake(4096, late), 0);
});

Deno.test("what has paid for long may fail for a while", async () => {
  const conversation = await asked();
  assertEquals(await conversation.awake(1000, soon), 1000);
  assertEquals(await conversation.awake(256, late), 256);
  assertEquals(await conversation.awake(4096, soon), 0);
  assertEquals(await conversation.awake(15, late), 15);
});

Deno.test("where more than half of the answers come soon it goes on, where one in four does it does not", async () => {
  const conversation = await asked();
  assertEquals(await conversation.awake(1000, (i) => i % 5 < 2 ? LATE_MS : SOON_MS), 1000);
  const awake = await conversation.awake(4000, (i) => i % 4 === 0 ? SOON_MS : LATE_MS);
  assert(awake < 600, `awake ${awake} times`);
});
