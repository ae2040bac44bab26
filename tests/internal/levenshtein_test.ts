import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { mostSimilar } from "../../src/internal/levenshtein.ts";

const names = ["add", "subtract", "getUser", "getUsers", "MultiplyAll"];

const found: [wanted: string, name: string | undefined][] = [
  ["ad", "add"],
  ["addd", "add"],
  ["dad", undefined],
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
  Deno.test(`mostSimilar() gives ${name ?? "nothing"} for "${wanted.slice(0, 20)}"`, () => {
    assertEquals(mostSimilar(wanted, names), name);
  });
}

Deno.test("mostSimilar() gives the nearest of several, and the first of equals", () => {
  assertEquals(mostSimilar("abcdef", ["abcxyf", "abcdxf", "abcdex"]), "abcdxf");
  assertEquals(mostSimilar("abcdef", ["abcdef", "abcdxf"]), "abcdef");
});

Deno.test("mostSimilar() gives nothing when there is nothing, and takes any iterable", () => {
  assertEquals(mostSimilar("add", []), undefined);
  assertEquals(mostSimilar("ad", new Map([["add", 1]]).keys()), "add");
});

Deno.test("mostSimilar() finds a name after as many edits as a third of its length (property)", () => {
  const name = fc.stringMatching(/^[a-z]{7,20}$/);
  fc.assert(fc.property(name, fc.nat(), fc.nat(), (name, first, second) => {
    const edited = [...name];
    edited.splice(first % edited.length, 1, "0");
    edited.splice(second % edited.length, 1);
    assertEquals(mostSimilar(edited.join(""), ["0".repeat(40), name, "00"]), name);
  }));
});
