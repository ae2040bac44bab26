/**
 * The handle of a task that was scheduled on another process.
 *
 * @module
 */

/**
 * A task that another process runs by itself.
 *
 * @example
 * ```ts
 * import { Global, PERIOD } from "@daffi/core";
 *
 * await using g = new Global({ host: "localhost", port: 8888 });
 * const task = await g.call.cleanUp("/tmp").exec(PERIOD({ interval: "1h" }));
 * console.log(`${task.processName} cleans up every hour, as task ${task.uuid}`);
 * await task.cancel();
 * ```
 */
export class ScheduledTask {
  /** What tells the task from all others. */
  readonly uuid: string;
  /** The process that runs it. */
  readonly processName: string;
  /** The callback that it runs. */
  readonly callbackName: string;
  readonly #cancel: () => Promise<boolean>;

  /**
   * Made by `RemoteCall.period()`.
   *
   * @param task Which task it is.
   * @param cancel Cancels it.
   */
  constructor(
    task: { uuid: string; processName: string; callbackName: string },
    cancel: () => Promise<boolean>,
  ) {
    this.uuid = task.uuid;
    this.processName = task.processName;
    this.callbackName = task.callbackName;
    this.#cancel = cancel;
  }

  /**
   * Cancels what is left of the task.
   *
   * @returns Whether there was something to cancel.
   * @throws {ProcessNotFoundError} when its process is not connected.
   */
  cancel(): Promise<boolean> {
    return this.#cancel();
  }
}
