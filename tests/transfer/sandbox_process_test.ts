import { assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import type { TransferPermissions } from "../../mod.ts";
import { TransferError } from "../../src/errors.ts";
import { resolveTransfer } from "../../src/transfer/resolve_transfer.ts";
import { spawnSandbox } from "../../src/transfer/sandbox_process.ts";

type Descriptor = Deno.PermissionDescriptor & { command?: string; variable?: string };

/**
 * What a process in a terminal sees that was granted only what `isGranted` says: it would be stopped to ask
 * its user when it does anything else. Gives what it did all the same.
 */
function inTerminal(isGranted: (wanted: Descriptor) => boolean, use: () => void): string[] {
  const asked: string[] = [];
  const { Command, env, permissions } = Deno;
  const stand = (object: object, name: string, value: unknown) =>
    Object.defineProperty(object, name, { value, configurable: true, writable: true });
  stand(permissions, "querySync", (wanted: Descriptor) => ({
    state: isGranted(wanted) ? "granted" : "prompt",
  }));
  stand(Deno, "Command", function (command: string) {
    if (!isGranted({ name: "run", command })) asked.push("run");
    throw new Error("nothing is started here");
  });
  stand(Deno, "env", {
    get: (variable: string) => {
      if (!isGranted({ name: "env", variable })) asked.push(`env ${variable}`);
      return "value";
    },
    toObject: () => {
      if (!isGranted({ name: "env" })) asked.push("env");
      return {};
    },
  });
  try {
    use();
  } finally {
    Reflect.deleteProperty(permissions, "querySync");
    stand(Deno, "Command", Command);
    stand(Deno, "env", env);
  }
  return asked;
}

const CASES: [
  string,
  (wanted: Descriptor) => boolean,
  TransferPermissions,
  RegExp,
][] = [
  [
    "it may not run Deno",
    () => false,
    {},
    /may not run .*; grant --allow-run=.* to this process, or set its option transfer to "deny"/,
  ],
  [
    "it may not read a variable that functions may read",
    ({ name, variable }) => name === "run" || variable === "ONE",
    { env: ["ONE", "TWO"] },
    /may not read the variable TWO.*; grant --allow-env=TWO to this process, or set/,
  ],
  [
    "it may not read all variables, of which functions may read some",
    ({ name, variable }) => name === "run" || variable === "ONE",
    { env: ["ONE", "TWO_*"] },
    /may not read the variable TWO_\*.*; grant --allow-env=TWO_\* to this process, or set/,
  ],
  [
    "it may not read all variables, which functions may read",
    ({ name, variable }) => name === "run" || variable !== undefined,
    { env: true },
    /may not read the variables.*; grant --allow-env to this process, or set/,
  ],
];

for (const [what, isGranted, permissions, message] of CASES) {
  Deno.test(`\`spawnSandbox()\` does not make Deno ask its user when ${what}`, () => {
    let failure: unknown;
    const asked = inTerminal(isGranted, () => {
      failure = assertThrows(() => spawnSandbox("", resolveTransfer({ permissions }), 65536));
    });
    assertEquals(asked, []);
    assertInstanceOf(failure, TransferError);
    assertMatch(failure.message, message);
    assertEquals(failure.executed, "never");
  });
}
