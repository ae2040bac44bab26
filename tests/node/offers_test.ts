import { assertEquals } from "@std/assert";
import { CallbackRegistry } from "../../mod.ts";
import { Offers } from "../../src/node/offers.ts";
import { decodeNames } from "../../src/wire/control.ts";
import { MAX_CALLBACKS_PER_NODE } from "../../src/wire/limits.ts";
import { KIND_NAMES } from "../../src/wire/kind_names.ts";

class Told {
  readonly lines: string[] = [];
  readonly registry = new CallbackRegistry();
  readonly offers = new Offers(this.registry, ({ kind, payload }) => {
    this.lines.push(`${KIND_NAMES.get(kind)} ${decodeNames(payload).join(" ")}`);
  });

  constructor(...names: string[]) {
    this.offer(...names);
    this.registry.subscribe((change) => this.offers.changed(change));
  }

  offer(...names: string[]): void {
    for (const name of names) this.registry.callback(name, () => {});
  }

  remove(...names: string[]): void {
    for (const name of names) this.registry.callback.remove(name);
  }
}

Deno.test("Offers tells of what is offered at once, of what is withdrawn when the turn is over", async () => {
  const told = new Told("a", "b", "c");
  told.offer("d");
  told.remove("a", "b");
  assertEquals(told.lines, ["OFFER d"]);
  await undefined;
  assertEquals(told.lines, ["OFFER d", "WITHDRAW a b"]);
});

Deno.test("Offers tells nothing of what is replaced", async () => {
  const told = new Told("a", "b");
  told.remove("a", "b");
  told.offer("b");
  await undefined;
  told.remove("b");
  told.offer("b");
  await undefined;
  assertEquals(told.lines, ["WITHDRAW a"]);
});

Deno.test("Offers tells nothing of what is replaced, whatever else is offered in between", async () => {
  const told = new Told("a");
  told.remove("a");
  told.offer("b", "a");
  await undefined;
  assertEquals(told.lines, ["OFFER b"]);
});

Deno.test("Offers withdraws before it offers more than are allowed", async () => {
  const names = Array.from({ length: MAX_CALLBACKS_PER_NODE }, (_, i) => `f${i}`);
  const told = new Told(...names);
  told.remove("f0");
  told.offer("b");
  await undefined;
  assertEquals(told.lines, ["WITHDRAW f0", "OFFER b"]);
});

Deno.test("Offers withdraws all at once", async () => {
  const told = new Told("a", "b");
  told.remove("a");
  told.offers.withdrawAll();
  assertEquals(told.lines, ["WITHDRAW a", "WITHDRAW b"]);
  await undefined;
  assertEquals(told.lines.length, 2);
});

Deno.test("Offers withdraws before it offers what was registered meanwhile", () => {
  const told = new Told("b");
  const { offers } = told;
  offers.catchUp({ id: 1, controller: "c", maxFrameBytes: 1, processes: [[1, "p", [[7, "a"]]]] });
  assertEquals(told.lines, ["WITHDRAW a", "OFFER b"]);
});

Deno.test("Offers tells of many names in several frames, each of a few", async () => {
  const names = Array.from({ length: 450 }, (_, i) => `${i}`.padStart(256, "n"));
  const told = new Told(...names);
  told.remove(...names);
  await undefined;
  const counts = told.lines.map((line) => line.split(" ").length - 1);
  assertEquals(counts, [200, 200, 50]);
  assertEquals(told.lines.flatMap((line) => line.split(" ").slice(1)), names);
});

Deno.test("Offers offers anew what was withdrawn before WELCOME, in the same turn", async () => {
  const told = new Told("a");
  told.remove("a");
  told.offers.catchUp({
    id: 1,
    controller: "c",
    maxFrameBytes: 1000,
    processes: [[1, "self", [[1, "a"]]]],
  });
  told.offer("a");
  await undefined;
  assertEquals(told.lines, ["WITHDRAW a", "OFFER a"]);
});
