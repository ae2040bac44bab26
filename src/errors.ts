/**
 * The errors of this module. Every one extends {@linkcode DaffiError}, carries a stable `code`
 * and, where a call is concerned, which call it was and how far it got.
 *
 * @module
 */

import { DaffiError, type DaffiErrorOptions } from "./internal/daffi_error.ts";

export {
  DaffiError,
  type DaffiErrorOptions,
  type Executed,
  type FailedCall,
} from "./internal/daffi_error.ts";

/** An option, argument or registration is not valid; the message names it and what would be. */
export class InitializationError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message What was wrong and what would be right.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("INITIALIZATION", message, options);
  }
}

/** The `Global` cannot do this: it is stopped, or it has no Node. */
export class GlobalContextError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message Why not.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("GLOBAL_CONTEXT", message, options);
  }
}

/** The controller cannot be reached, or an address cannot be listened on. */
export class ConnectionError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message Which address, and why.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("CONNECTION", message, options);
  }
}

/**
 * One side did not prove to the other that it may take part: the secret, the certificate or the token is wrong.
 * Or the controller's `authorize` does not allow a call, which has not run then.
 */
export class AuthenticationError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message What was missing.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("AUTHENTICATION", message, options);
  }
}

/** Another live process already has this name. */
export class DuplicateProcessError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message Which name.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("DUPLICATE_PROCESS", message, options);
  }
}

/** No other process offers the callback; the message lists what is offered. */
export class CallbackNotFoundError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message Which name, what is offered, and the nearest one.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("CALLBACK_NOT_FOUND", message, options);
  }
}

/** No process of this name is connected. */
export class ProcessNotFoundError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message Which name, and which processes there are.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("PROCESS_NOT_FOUND", message, options);
  }
}

/** The time given for a call or a wait ran out. */
export class CallTimeoutError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message What was waited for, and how long.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("CALL_TIMEOUT", message, options);
  }
}

/** The call or wait was cancelled by its `signal`, by `cancel()`, or because its process stops. */
export class CallCancelledError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message What was cancelled.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("CALL_CANCELLED", message, options);
  }
}

/** The process, or the connection to it, was lost during the call. */
export class PeerLostError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message Which process was lost.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("PEER_LOST", message, options);
  }
}

/** What a {@linkcode RemoteCallError} knows of the value that the callback threw. */
export interface RemoteErrorDetails {
  /** `name` of the thrown error, or the type of a thrown value that is not an error. */
  remoteName: string;
  /** `message` of the thrown error. */
  remoteMessage: string;
  /** `stack` of the thrown error in the other process. */
  remoteStack?: string | undefined;
  /** Its own fields (`code`, `status` and the like), as far as they could be encoded. */
  remoteFields?: Record<string, unknown> | undefined;
}

/**
 * The callback threw. `cause` is the thrown value rebuilt: an `Error` with the remote `name`,
 * `message`, `stack`, own fields and cause chain. The own `stack` shows where the call was made
 * here, followed by the remote stack.
 */
export class RemoteCallError extends DaffiError {
  /** `name` of the thrown error in the other process. */
  readonly remoteName: string;
  /** `message` of the thrown error in the other process. */
  readonly remoteMessage: string;
  /** `stack` of the thrown error in the other process. */
  readonly remoteStack: string | undefined;
  /** Own fields of the thrown error. This one has them too, not enumerable, but for names that it has itself. */
  readonly remoteFields: Record<string, unknown>;

  /**
   * Makes the error.
   *
   * @param message Which callback threw what.
   * @param details The thrown value, taken apart.
   */
  constructor(message: string, details: RemoteErrorDetails, options?: DaffiErrorOptions) {
    super("REMOTE_CALL", message, { executed: "yes", ...options });
    this.remoteName = details.remoteName;
    this.remoteMessage = details.remoteMessage;
    this.remoteStack = details.remoteStack;
    this.remoteFields = details.remoteFields ?? {};
  }
}

/** A broadcast or stream failed on at least one process. */
export class BroadcastError extends DaffiError {
  /** What the processes answered that did not fail, by process name. */
  readonly results: Record<string, unknown>;
  /** Why the others failed, by process name. */
  readonly errors: Record<string, DaffiError>;

  /**
   * Makes the error.
   *
   * @param message How many failed, and why.
   * @param results Answers by process name.
   * @param errors Failures by process name.
   */
  constructor(
    message: string,
    results: Record<string, unknown>,
    errors: Record<string, DaffiError>,
    options?: DaffiErrorOptions,
  ) {
    super("BROADCAST", message, options);
    this.results = results;
    this.errors = errors;
  }
}

/** One thing that a schema found wrong. */
export interface ValidationIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where, from the outermost key inwards. */
  readonly path: readonly (string | number)[];
}

/** Arguments or result of a callback do not fit its schema. */
export class ValidationError extends DaffiError {
  /** What the schema found. */
  readonly issues: readonly ValidationIssue[];

  /**
   * Makes the error.
   *
   * @param message What does not fit.
   * @param issues What the schema found.
   */
  constructor(
    message: string,
    issues: readonly ValidationIssue[] = [],
    options?: DaffiErrorOptions,
  ) {
    super("VALIDATION", message, options);
    this.issues = issues;
  }
}

/** A value cannot travel; the message names its path, for example `args[0].user.save`. */
export class EncodeError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message Which value, at which path, and why not.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("ENCODE", message, options);
  }
}

/** The other side sent bytes that the protocol does not allow. */
export class ProtocolError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message What was received and what is allowed.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("PROTOCOL", message, options);
  }
}

/** A function could not be sent to another process or run there. */
export class TransferError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message Why not, and what would allow it.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("TRANSFER", message, options);
  }
}

/** A bounded queue is full: the call did not run, or, if `executed` is `"yes"`, only its answer found no room. */
export class OverloadedError extends DaffiError {
  /**
   * Makes the error.
   *
   * @param message Which queue, and its limit.
   */
  constructor(message: string, options?: DaffiErrorOptions) {
    super("OVERLOADED", message, { executed: "never", ...options });
  }
}
