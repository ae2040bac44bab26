import type { Global, TransferMode, TransferOptions, TransferPermissions } from "../../mod.ts";
import { assertType, type Equal } from "./equal.ts";

// The functions below are compiled and never run: what they say is checked by the compiler.

async function _results(g: Global): Promise<void> {
  const pid = await g.transferAndCall("other", () => Deno.pid);
  assertType<Equal<typeof pid, number>>();
  const sum = await g.transferAndCall("other", (a: number, b: number) => a + b, 1, 2);
  assertType<Equal<typeof sum, number>>();
  const later = await g.transferAndCall("other", async () => await Promise.resolve("text"));
  assertType<Equal<typeof later, string>>();
  const nothing = await g.transferAndCall("other", () => {});
  assertType<Equal<typeof nothing, void>>();
  const rest = await g.transferAndCall("other", (...all: string[]) => all.length, "a", "b", "c");
  assertType<Equal<typeof rest, number>>();
  const optional = (a: number, b?: string) => ({ a, b });
  const one = await g.transferAndCall("other", optional, 1);
  const two = await g.transferAndCall("other", optional, 1, "b");
  assertType<Equal<typeof one, { a: number; b: string | undefined }>>();
  assertType<Equal<typeof two, typeof one>>();
  const tools = {
    twice(n: number): number {
      return n * 2;
    },
  };
  const method = await g.transferAndCall("other", tools.twice, 21);
  assertType<Equal<typeof method, number>>();
}

async function _parameters(g: Global): Promise<void> {
  const left = await g.transferAndCall("other", (a: number, b = 2) => a * b, 1);
  const given = await g.transferAndCall("other", (a: number, b = 2) => a * b, 1, 3);
  assertType<Equal<typeof left, number>>();
  assertType<Equal<typeof given, number>>();
  const pattern = await g.transferAndCall("other", ({ n = 1 } = {} as { n?: number }) => `${n}`);
  assertType<Equal<typeof pattern, string>>();
  const both = await g.transferAndCall(
    "other",
    (a: string, b = 2, ...rest: boolean[]) => ({ a, c: rest.length + b }),
    "a",
  );
  assertType<Equal<typeof both, { a: string; c: number }>>();
  const untyped = await g.transferAndCall("other", (a, b) => a + b, "a", "b");
  assertType<Equal<typeof untyped, string>>();
  const generic = await g.transferAndCall("other", <T>(x: T) => [x], 5);
  assertType<Equal<typeof generic, number[]>>();
  const wider = await g.transferAndCall("other", (x: number | string) => x, 5);
  assertType<Equal<typeof wider, number | string>>();
}

async function _wrong(g: Global): Promise<void> {
  // @ts-expect-error there is an argument missing
  await g.transferAndCall("other", (a: number) => a);
  // @ts-expect-error it is no number
  await g.transferAndCall("other", (a: number) => a, "1");
  // @ts-expect-error it takes none
  await g.transferAndCall("other", () => 1, 1);
  // @ts-expect-error it is no number
  await g.transferAndCall("other", (a: number, b = 2) => a * b, 1, "3");
  // @ts-expect-error there is an argument missing
  await g.transferAndCall("other", (a: number, b = 2) => a * b);
  // @ts-expect-error there is one too many
  await g.transferAndCall("other", (a: number, b = 2) => a * b, 1, 2, 3);
  // @ts-expect-error there is an argument missing
  await g.transferAndCall("other", (a) => a);
  // @ts-expect-error they are no numbers
  await g.transferAndCall("other", (...all: number[]) => all, 1, "2");
  // @ts-expect-error it is no text
  await g.transferAndCall("other", <T extends string>(x: T) => x, 5);
  // @ts-expect-error no function
  await g.transferAndCall("other", "() => 1");
  // @ts-expect-error no process
  await g.transferAndCall(() => 1);
  // @ts-expect-error no name
  await g.transferAndCall(5, () => 1);
}

function _options(): void {
  assertType<Equal<TransferMode, "sandbox" | "inline" | "deny">>();
  const permissions: TransferPermissions = { read: ["/data"], net: true, env: false };
  const all: TransferOptions = {
    mode: "sandbox",
    permissions,
    timeout: "5s",
    memoryLimitMb: 64,
    maxConcurrent: 2,
  };
  // @ts-expect-error there is no such mode
  const mode: TransferMode = "sandpit";
  // @ts-expect-error there is no such permission
  const wrong: TransferPermissions = { reed: true };
  void [all, mode, wrong];
}

Deno.test("transfer types: this file compiles, and each of its wrong calls does not", () => {});
