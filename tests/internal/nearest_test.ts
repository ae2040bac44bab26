import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { nearest } from "../../src/internal/nearest.ts";

const names = ["add", "subtract", "getUser", "getUsers", "MultiplyAll"];

const found: [wanted: string, name: string | undefined][] = [
  ["ad", "add"],
  ["addd", "add"],
  ["dad", "add"],
  ["dda", undefined],
  ["gteUesr", "getUser"],
  ["substract", "subtract"],
  ["subtracct", "subtract"],
  ["GETUSER", "getUser"],
  ["getUserss", "getUsers"],
  ["multiplyall", "MultiplyAll"],
  ["multiplayAl", "MultiplyAll"],
  ["divide", undefined],
  ["", undefined],
  ["x".repeat(1000), undefined],
];

for (const [wanted, name] of found) {
  Deno.test(`nearest() gives ${name ?? "nothing"} for "${wanted.slice(0, 20)}"`, () => {
    assertEquals(nearest(wanted, names), name);
  });
}

Deno.test("nearest() gives the nearest of several, and the first of equals", () => {
  assertEquals(nearest("abcdef", ["abcxyf", "abcdxf", "abcdex"]), "abcdxf");
  assertEquals(nearest("abcdef", ["abcdef", "abcdxf"]), "abcdef");
});

Deno.test("nearest() gives no name of which nothing is like what was asked for", () => {
  assertEquals([nearest("", ["a", "0"]), nearest("a", ["b"]), nearest("a", ["A"])], [
    undefined,
    undefined,
    "A",
  ]);
});

Deno.test("nearest() looks at the first thousand names", () => {
  const others = Array.from({ length: 1_000 }, () => "zzzzzz");
  assertEquals(nearest("add", [...others, "ad"]), undefined);
  assertEquals(nearest("add", [...others.slice(1), "ad"]), "ad");
});

Deno.test("nearest() gives nothing when there is nothing, and takes any iterable", () => {
  assertEquals(nearest("add", []), undefined);
  assertEquals(nearest("ad", [...new Map([["add", 1]]).keys()]), "add");
});

Deno.test("nearest() finds a name after as many edits as a third of its length (property)", () => {
  const name = fc.stringMatching(/^[a-z]{7,20}$/);
  fc.assert(fc.property(name, fc.nat(), fc.nat(), (name, first, second) => {
    const edited = [...name];
    edited.splice(first % edited.length, 1, "0");
    edited.splice(second % edited.length, 1);
    assertEquals(nearest(edited.join(""), ["0".repeat(40), name, "00"]), name);
  }));
});
