/**
 * The command line of the runners.
 *
 * @module
 */

import { parseArgs } from "node:util";

/** What the command line wants. */
export interface Flags {
  readonly rounds: number;
  /** How long each work lasts. */
  readonly ms: number;
  /** How many nodes are idle. */
  readonly idleNodes: number;
  /** How long they rest before their memory is measured. */
  readonly restMs: number;
  readonly wanted: (title: string) => boolean;
  /** Where the report goes. */
  readonly json: URL | string;
  readonly writeReadme: boolean;
}

const HELP = `
  --rounds=<n>     rounds of each work
  --only=<regex>   only works whose title matches, without regard to case
  --quick          two short rounds and 100 idle nodes: to see that it runs
  --json=<file>    where the report goes; by default into bench/results/, with --only or --quick
                   as partial.json
  --write-readme   put the tables into bench/README.md
`;

/**
 * Reads the command line.
 *
 * @param defaults What holds where it says nothing.
 */
export function readFlags(
  args: string[],
  defaults: { rounds: number; json: URL },
): Flags {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string" },
      only: { type: "string", default: "" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      "write-readme": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    Deno.exit(0);
  }
  const { quick } = values;
  const rounds = Number(values.rounds ?? (quick ? 2 : defaults.rounds));
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new TypeError(`Cannot measure: --rounds is ${values.rounds}, 1 or more is needed`);
  }
  const only = new RegExp(values.only, "i");
  const isWhole = values.only === "" && !quick;
  return {
    rounds,
    ms: quick ? 40 : 250,
    idleNodes: quick ? 100 : 1000,
    restMs: quick ? 0 : 30_000,
    wanted: (title) => only.test(title),
    json: values.json ?? (isWhole ? defaults.json : new URL("./partial.json", defaults.json)),
    writeReadme: values["write-readme"],
  };
}
