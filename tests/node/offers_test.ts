import { assertEquals } from "@std/assert";
import { CallbackRegistry } from "../../mod.ts";
import { Offers } from "../../src/node/offers.ts";
import { decodeNames } from "../../src/wire/control.ts";
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

Deno.test("Offers withdraws before it offers more, for only so many are allowed", async () => {
  const told = new Told("a");
  told.remove("a");
  told.offer("b", "a");
  await undefined;
  assertEquals(told.lines, ["WITHDRAW a", "OFFER b", "OFFER a"]);
});

Deno.test("Offers withdraws all at once", async () => {
  const told = new Told("a", "b");
  told.remove("a");
  told.offers.withdrawAll();
  assertEquals(told.lines, ["WITHDRAW a", "WITHDRAW b"]);
  await undefined;
  assertEquals(told.lines.length, 2);
});
