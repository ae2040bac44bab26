/**
 * A system that runs.
 *
 * @module
 */

import type { Measured } from "../measure.ts";
import type { Meeting } from "../program.ts";
import type { ProgramSpec, System } from "../system.ts";
import type { Figures, WorkName } from "../works.ts";
import { Child } from "./child.ts";

/** CPU time in seconds by role. */
export type CpuByRole = { [role in Child["role"]]?: number };

/** What a work gave. */
export interface Outcome {
  /** `undefined` if the system cannot do this work. */
  readonly figures: Figures | undefined;
  /** CPU time for 100,000 operations. */
  readonly cpu: CpuByRole;
}

/** All processes of a system. */
export class RunningSystem implements AsyncDisposable {
  /** What runs. */
  readonly system: System;
  readonly #children: readonly Child[];
  #meeting: Meeting;

  private constructor(system: System, children: readonly Child[], meeting: Meeting) {
    this.system = system;
    this.#children = children;
    this.#meeting = meeting;
  }

  /**
   * Starts one program after the other.
   *
   * @param onReady Called after each.
   */
  static async start(
    system: System,
    onReady?: (child: Child) => Promise<void>,
  ): Promise<RunningSystem> {
    const directory = await Deno.makeTempDir({ prefix: "daffi_bench_" });
    const children: Child[] = [];
    const running = new RunningSystem(system, children, { transport: system.transport, directory });
    try {
      for (const spec of system.programs) {
        const child = running.startAnother(spec);
        children.push(child);
        running.#meeting = { ...running.#meeting, ...await child.ready() };
        await onReady?.(child);
      }
      return running;
    } catch (error) {
      await running[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts a program that meets the others; the starter ends it. */
  startAnother(spec: ProgramSpec): Child {
    return new Child(spec, this.#meeting);
  }

  /** Does a work for some time. */
  async run(work: WorkName, ms: number): Promise<Outcome> {
    const caller = this.#children.find(({ role }) => role === "caller")!;
    const before = this.#cpu();
    const { figures, operations } = await caller.ask({ work, ms }) as Partial<Measured>;
    const after = this.#cpu();
    const cpu: CpuByRole = {};
    for (const role of Object.keys(after) as Child["role"][]) {
      cpu[role] = (after[role]! - before[role]!) / operations! * 100_000;
    }
    return { figures, cpu };
  }

  #cpu(): CpuByRole {
    const cpu: CpuByRole = {};
    for (const child of this.#children) {
      const seconds = child.cpuSeconds();
      if (seconds !== undefined) cpu[child.role] = (cpu[child.role] ?? 0) + seconds;
    }
    return cpu;
  }

  /** Ends all processes at once, without warning. */
  kill(): void {
    for (const child of this.#children) child.kill();
  }

  /** Ends all processes, those that came last first, so that nobody loses who it depends on. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.toReversed()) await child[Symbol.asyncDispose]();
    await Deno.remove(this.#meeting.directory, { recursive: true });
  }
}
