/**
 * Processes call each other's functions by name.
 *
 * A process registers functions or classes with {@linkcode callback} and creates a
 * {@linkcode Global}, which starts a Node, the Controller that all nodes connect to, or both.
 *
 * @example Two processes
 * ```ts
 * // proc1.ts
 * import { callback, Global } from "@daffi/core";
 *
 * callback(function add(a: number, b: number) {
 *   return a + b;
 * });
 * const g = new Global({ processName: "proc1", initController: true, host: "localhost", port: 8888 });
 * await g.join();
 * ```
 *
 * ```ts
 * // proc2.ts
 * import { Global } from "@daffi/core";
 *
 * await using g = new Global({ processName: "proc2", host: "localhost", port: 8888 });
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
export { Global } from "./src/full_global.ts";
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
