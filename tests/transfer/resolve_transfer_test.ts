import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Global, InitializationError, type TransferOptions } from "../../mod.ts";
import { resolveTransfer } from "../../src/transfer/resolve_transfer.ts";

const DEFAULTS = {
  mode: "sandbox",
  permissions: {},
  timeoutMs: 30_000,
  memoryLimitMb: 256,
  maxConcurrent: 32,
} as const;

Deno.test("`resolveTransfer()` gives the defaults when nothing is said", () => {
  assertEquals(resolveTransfer(), DEFAULTS);
  assertEquals(resolveTransfer({}), DEFAULTS);
});

for (const mode of ["sandbox", "inline", "deny"] as const) {
  Deno.test(`\`resolveTransfer()\` takes "${mode}" alone and as a field`, () => {
    const timeoutMs = mode === "inline" ? Infinity : DEFAULTS.timeoutMs;
    assertEquals(resolveTransfer(mode), { ...DEFAULTS, mode, timeoutMs });
    assertEquals(resolveTransfer({ mode, permissions: {} }), { ...DEFAULTS, mode, timeoutMs });
    const nothing = { permissions: undefined, timeout: undefined, maxConcurrent: undefined };
    const given = { mode, ...nothing } as unknown as TransferOptions;
    assertEquals(resolveTransfer(given), { ...DEFAULTS, mode, timeoutMs });
  });
}

Deno.test("`resolveTransfer()` takes all fields", () => {
  const permissions = { read: ["/data"], net: true, env: false, sys: [] };
  const options = { permissions, timeout: "1m", memoryLimitMb: 16, maxConcurrent: 1 } as const;
  assertEquals(resolveTransfer(options), {
    mode: "sandbox",
    permissions,
    timeoutMs: 60_000,
    memoryLimitMb: 16,
    maxConcurrent: 1,
  });
});

Deno.test("`resolveTransfer()` takes no time limit, and one for inline", () => {
  assertEquals(resolveTransfer({ timeout: Infinity }).timeoutMs, Infinity);
  assertEquals(resolveTransfer({ mode: "inline", timeout: "5s" }).timeoutMs, 5_000);
});

Deno.test("`resolveTransfer()` denies by default where there are no subprocesses", () => {
  const { Command } = Deno;
  try {
    Object.defineProperty(Deno, "Command", { value: undefined, configurable: true });
    assertEquals(resolveTransfer().mode, "deny");
    assertEquals(resolveTransfer({ timeout: "5s" }).mode, "deny"); // the same program elsewhere runs some
    assertEquals(resolveTransfer("inline").mode, "inline");
  } finally {
    Object.defineProperty(Deno, "Command", {
      value: Command,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
});

const WRONG: [unknown, RegExp][] = [
  ["sandpit", /transfer\.mode must be one of sandbox, inline, deny, but is "sandpit"/],
  ["", /transfer\.mode/],
  [{ mode: "DENY" }, /transfer\.mode must be .*, but is "DENY"/],
  [{ mode: null }, /transfer\.mode must be .*, but is null/],
  [{ timeout: 0 }, /transfer\.timeout/],
  [{ timeout: -1 }, /transfer\.timeout/],
  [{ timeout: NaN }, /transfer\.timeout/],
  [{ timeout: "soon" }, /transfer\.timeout/],
  [{ memoryLimitMb: 15 }, /transfer\.memoryLimitMb must be a whole number from 16 on, but is 15/],
  [{ memoryLimitMb: 64.5 }, /transfer\.memoryLimitMb/],
  [{ memoryLimitMb: "256" }, /transfer\.memoryLimitMb/],
  [{ memoryLimitMb: Infinity }, /transfer\.memoryLimitMb/],
  [{ maxConcurrent: 0 }, /transfer\.maxConcurrent must be a whole number from 1 on, but is 0/],
  [{ maxConcurrent: NaN }, /transfer\.maxConcurrent/],
  [{ permissions: { reed: true } }, /reed/],
  [{ permissions: { hrtime: true } }, /hrtime/],
  [{ permissions: { all: true } }, /all/],
  [
    { permissions: { read: "/data" } },
    /transfer\.permissions\.read must be true, false or .*, but is "\/data"/,
  ],
  [{ permissions: { net: [5] } }, /transfer\.permissions\.net/],
  [{ permissions: { net: [""] } }, /transfer\.permissions\.net/],
  [{ permissions: { run: null } }, /transfer\.permissions\.run/],
  [{ permissions: { read: ["/a,/etc"] } }, /transfer\.permissions\.read/],
  [{ mode: "inline", permissions: { net: true } }, /permissions .* mode "sandbox"/],
  [{ mode: "inline", memoryLimitMb: 64 }, /memoryLimitMb is given, but inline limits nothing/],
  [{ mode: "inline", maxConcurrent: 2 }, /maxConcurrent is given, but inline limits nothing/],
  [{ mode: "deny", permissions: { net: true } }, /permissions is given, but deny runs nothing/],
  [{ mode: "deny", timeout: "5s" }, /timeout is given, but deny runs nothing; leave it out/],
  [{ mode: "deny", memoryLimitMb: 64 }, /memoryLimitMb is given, .* or take mode "sandbox"/],
  [{ mode: "deny", maxConcurrent: 2 }, /maxConcurrent is given, but deny runs nothing/],
  [{ memoryLimit: 64 }, /memoryLimit/],
  [{ permission: {} }, /permission/],
  [{ permissions: null }, /permissions/],
  [null, /transfer/],
  [5, /transfer/],
  [["sandbox"], /transfer/],
];

for (const [option, message] of WRONG) {
  Deno.test(`\`resolveTransfer()\` refuses ${Deno.inspect(option)} and says why`, () => {
    const error = assertThrows(
      () => resolveTransfer(option as TransferOptions),
      InitializationError,
    );
    assertMatch(error.message, message);
  });
}

Deno.test("`new Global()` refuses a wrong option `transfer` at once", () => {
  assertThrows(
    () => new Global({ transfer: { mode: "sandpit" as "deny" } }),
    InitializationError,
    "transfer.mode",
  );
});
