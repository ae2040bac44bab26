/**
 * Other processes' schedulers, as this process sees them.
 *
 * @module
 */

import { InitializationError } from "./errors.ts";
import { type CallRequest, checkProcessName, requestTo } from "./internal/call_request.ts";
import { CallSites } from "./internal/call_site.ts";
import { beforeCall } from "./internal/concerning.ts";
import { show } from "./internal/show.ts";
import type { TaskChange } from "./internal/task_operations.ts";
import { isUuid } from "./internal/uuid.ts";
import type { Node } from "./node/node.ts";
import type { PeriodOptions } from "./modifiers.ts";
import { readPeriodOptions } from "./period_options.ts";
import { ScheduledTask } from "./scheduled_task.ts";
import type { ScheduledTaskInfo } from "./scheduler/task.ts";
import { Kind } from "./wire/frame.ts";
import type { CompileCron } from "./scheduler/trigger.ts";

/** Schedules tasks, lists and changes them. */
export class TaskClient {
  #processName: string;
  #requireNode: (verb: string, object: string) => Node;
  #compileCron: CompileCron | undefined;
  readonly #sites = new CallSites();

  /**
   * @param processName The own process.
   * @param requireNode Gives the node. @throws {GlobalContextError} when there is none.
   * @param compileCron Reads cron expressions, if this process can.
   */
  constructor(
    processName: string,
    requireNode: (verb: string, object: string) => Node,
    compileCron: CompileCron | undefined,
  ) {
    this.#processName = processName;
    this.#requireNode = requireNode;
    this.#compileCron = compileCron;
  }

  /** Has another process run a callback by itself. */
  async schedule(request: CallRequest, options: PeriodOptions): Promise<ScheduledTask> {
    const { callbackName } = request;
    const [node, spec] = beforeCall({ callbackName }, () => {
      const plan = readPeriodOptions(options, this.#compileCron);
      const node = this.#requireNode("schedule", callbackName);
      return [node, {
        ...plan,
        callbackName,
        args: node.caller.encodeArguments(request.args),
      }] as const;
    });
    const body = { op: "create", spec };
    const verb = `schedule ${callbackName}`;
    const asked = { ...request, verb, args: [body] };
    const { value, processName } = await node.caller.ask(Kind.Task, asked);
    return this.#handle(value as string, processName, callbackName);
  }

  /** Made apart from the request, which it would keep. */
  #handle(uuid: string, processName: string, callbackName: string): ScheduledTask {
    const task = { uuid, processName, callbackName };
    return new ScheduledTask(task, () => this.change("cancel", processName, uuid));
  }

  /** The UUIDs of the tasks of a process. */
  async list(processName: string): Promise<string[]> {
    return await this.#ask(processName, { op: "list" }, this.list) as string[];
  }

  /** What is known of the tasks of a process. */
  async describe(processName: string): Promise<ScheduledTaskInfo[]> {
    return await this.#ask(processName, { op: "describe" }, this.describe) as ScheduledTaskInfo[];
  }

  /** Changes a task; tells whether there was something to change. */
  async change(op: TaskChange, processName: string, uuid: string): Promise<boolean> {
    if (!isUuid(uuid)) {
      throw new InitializationError(`Cannot ${op} the task: ${show(uuid)} is not a UUID`);
    }
    return await this.#ask(processName, { op, uuid }, this.change) as boolean;
  }

  /** Asks; errors tell who has called `method`. */
  async #ask(
    processName: string,
    body: { op: string; uuid?: string },
    method: (...args: never[]) => unknown,
  ): Promise<unknown> {
    const site = this.#sites.capture(method);
    checkProcessName(processName);
    const tasks = body.uuid === undefined ? "the tasks" : "the task";
    const node = beforeCall(
      { processName },
      () => this.#requireNode(body.op, `${tasks} on ${processName}`),
    );
    if (processName === this.#processName) return node.handleTask(body, processName);
    const request = requestTo(processName, `${body.op} ${tasks}`, [body], site);
    return (await node.caller.ask(Kind.Task, request)).value;
  }
}
