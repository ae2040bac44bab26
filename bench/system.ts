/**
 * A system: the programs that it is made of, each a process of its own.
 *
 * @module
 */

/** A program; its last argument is the {@linkcode Meeting} as JSON. */
export interface ProgramSpec {
  /** What it is; there is one caller. CPU time is given by role. */
  readonly role: "caller" | "controller" | "callee";
  /** Command and arguments. */
  readonly command: readonly string[];
  /** More fields of its argument. */
  readonly argument?: Readonly<Record<string, unknown>>;
}

/** A system that can be measured. */
export interface System {
  /** As in tables. */
  readonly name: string;
  /** The floor that it is compared with: who talks through a third process, or does not. */
  readonly floor: "direct" | "relay";
  readonly transport: "tcp" | "unix";
  /** In the order of their start: each is ready before the next one starts. */
  readonly programs: readonly ProgramSpec[];
}
