/**
 * The same for web pages, and wherever else the size of a program counts: everything that
 * `@daffi/core` has, without what a page cannot run.
 *
 * A {@linkcode Global} of this module joins by WebSocket (`url`) or MessagePort (`port`). It runs no
 * Controller, opens no TCP or UNIX sockets and no task files, starts no sandboxes, and runs no tasks
 * by cron; an option that asks for one of these is refused. Its messages list names and guess none, and tell kinds
 * of frame by number; whether a function can be sent is seen by the process that it is sent to. UUIDs of tasks that
 * have ended are not remembered. Pages have no `AsyncLocalStorage` either: behind a callback's first `await`,
 * {@linkcode currentCall} gives `undefined`, and calls do not inherit its deadline. Everything else is the same.
 *
 * @example A page
 * ```ts
 * import { callback, Global } from "@daffi/core/browser";
 *
 * callback("showMessage", (text: string) => alert(text));
 * const g = new Global({ processName: "page", url: "wss://example.com/daffi" });
 * await g.waitFunction("add");
 * console.log(await g.call.add(1, 2)); // 3
 * ```
 *
 * @module
 */

export { AsyncResult } from "./src/async_result.ts";
export { callback, type CallContext, currentCall, local } from "./src/callback.ts";
export {
  AuthenticationError,
  BroadcastError,
  CallbackNotFoundError,
  CallCancelledError,
  CallTimeoutError,
  ConnectionError,
  DaffiError,
  type DaffiErrorOptions,
  DuplicateProcessError,
  EncodeError,
  type Executed,
  type FailedCall,
  GlobalContextError,
  InitializationError,
  OverloadedError,
  PeerLostError,
  ProcessNotFoundError,
  ProtocolError,
  RemoteCallError,
  type RemoteErrorDetails,
  TransferError,
  ValidationError,
  type ValidationIssue,
} from "./src/errors.ts";
export type { AuthorizationRequest, Authorize } from "./src/internal/authorization.ts";
export type { TaskOperation } from "./src/internal/task_operations.ts";
export { Global } from "./src/global.ts";
export type { Strategy } from "./src/internal/call_request.ts";
export type { Duration, Time } from "./src/internal/duration.ts";
export type { Logger } from "./src/internal/log.ts";
export {
  BG,
  type BgOptions,
  BROADCAST,
  type BroadcastOptions,
  FG,
  type FgOptions,
  type Modifier,
  type ModifierFunction,
  type ModifierKind,
  type ModifierOptions,
  NO_RETURN,
  type NoReturnOptions,
  PERIOD,
  type PeriodOptions,
  STREAM,
  type StreamOptions,
  type TargetOptions,
} from "./src/modifiers.ts";
export type {
  ControllerTlsOptions,
  GlobalOptions,
  HeartbeatOptions,
  JoinOptions,
  LifecycleFunction,
  NodeTlsOptions,
  ReconnectOptions,
  StopOptions,
  TaskFailureFunction,
  WebOptions,
} from "./src/options.ts";
export {
  type CallbackFunction,
  CallbackRegistry,
  type RegistryChange,
} from "./src/registry/callback_registry.ts";
export type {
  AnyClass,
  AnyFunction,
  CallbackOptions,
  RegisteredCallback,
} from "./src/registry/registered_callback.ts";
export type {
  StandardIssue,
  StandardResult,
  StandardSchema,
} from "./src/registry/standard_schema.ts";
export { ScheduledTask } from "./src/scheduled_task.ts";
export type {
  Overlap,
  ScheduledTaskInfo,
  TaskFailureInfo,
  TaskRecord,
  TaskSpec,
  TaskStatus,
} from "./src/scheduler/task.ts";
export type { TaskStore } from "./src/scheduler/task_store.ts";
export type { Trigger } from "./src/scheduler/trigger.ts";
export type {
  TransferMode,
  TransferOptions,
  TransferPermissions,
} from "./src/transfer/transfer_options.ts";
export type { GlobalStats } from "./src/stats.ts";
export type {
  ArgumentsOf,
  CallbacksOf,
  ClassesOf,
  FunctionsOf,
  Intersection,
  ItemOf,
  ItemsFor,
  MethodsOf,
  PublicName,
  RemoteCall,
  RemoteCallbacks,
  RemoteFunction,
  ResultOf,
  SentAs,
  StreamableCall,
  StreamCall,
  UntypedCallbacks,
  ValueWithItems,
} from "./src/remote_types.ts";
export type { WaitOptions } from "./src/wait_options.ts";
