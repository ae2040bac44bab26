/**
 * Failures of calls ↔ payloads (`docs/protocol.md`, section 10).
 *
 * @module
 */

import {
  CallbackNotFoundError,
  CallCancelledError,
  CallTimeoutError,
  DaffiError,
  EncodeError,
  type Executed,
  type FailedCall,
  InitializationError,
  OverloadedError,
  ProtocolError,
  RemoteCallError,
  ValidationError,
  type ValidationIssue,
} from "../errors.ts";
import type { Codec } from "./codec.ts";

const MAX_CAUSES = 8;
const MAX_TEXT = 64 * 1024;

/** A failure as it travels. */
interface WireFailure {
  code: string;
  message: string;
  executed: Executed;
  error?: unknown;
  issues?: readonly ValidationIssue[];
}

/** The errors by which a callback's node says that it did not run it, or not to the end. */
const BY_CODE: ReadonlyMap<
  string,
  new (message: string, options: FailedCall) => DaffiError
> = new Map(Object.entries({
  CALLBACK_NOT_FOUND: CallbackNotFoundError,
  CALL_CANCELLED: CallCancelledError,
  CALL_TIMEOUT: CallTimeoutError,
  ENCODE: EncodeError,
  INITIALIZATION: InitializationError,
  OVERLOADED: OverloadedError,
  PROTOCOL: ProtocolError,
}));

/** Encodes what a callback threw. */
export function encodeThrown(codec: Codec, thrown: unknown): Uint8Array {
  const failure: WireFailure = {
    code: "REMOTE_CALL",
    message: "",
    executed: "yes",
    error: thrown,
  };
  try {
    const payload = codec.encode(failure, "error");
    if (payload.length <= MAX_TEXT) return payload;
  } catch {
    // Something in the error cannot travel: below, the rest of it does.
  }
  return codec.encode({ ...failure, error: portable(codec, thrown, 0) }, "error");
}

/** Encodes why the callback's node did not run the callback, or not to the end. */
export function encodeRefusal(codec: Codec, error: DaffiError): Uint8Array {
  const { code, message, executed = "never" } = error;
  const failure: WireFailure = { code, message: cut(message), executed };
  if (error instanceof ValidationError) failure.issues = error.issues.slice(0, 100);
  return codec.encode(failure, "error");
}

/** The parts of a thrown value that can travel. */
function portable(codec: Codec, thrown: unknown, depth: number): unknown {
  if (!(thrown instanceof Error)) return encodable(codec, thrown) ? thrown : describe(thrown);
  const copy = new Error(cut(String(thrown.message)));
  copy.name = cut(String(thrown.name));
  copy.stack = cut(String(thrown.stack));
  if (thrown.cause !== undefined && depth < MAX_CAUSES) {
    copy.cause = portable(codec, thrown.cause, depth + 1);
  }
  for (const [key, value] of Object.entries(thrown)) {
    if (key === "name" || key === "message" || key === "stack" || key === "cause") continue;
    const field = encodable(codec, value) ? value : describe(value);
    Object.defineProperty(copy, key, { value: field, enumerable: true });
  }
  return copy;
}

function encodable(codec: Codec, value: unknown): boolean {
  try {
    return codec.encode(value, "error").length <= MAX_TEXT;
  } catch {
    return false;
  }
}

function describe(value: unknown): string {
  try {
    return cut(`[not sent: ${typeof value === "function" ? "function" : String(value)}]`);
  } catch {
    return "[not sent]";
  }
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT) + "…";
}

/**
 * Makes the caller's error from a payload.
 *
 * @throws {ProtocolError} when it is none.
 */
export function decodeFailure(codec: Codec, payload: Uint8Array, call: FailedCall): DaffiError {
  const failure = codec.decode(payload) as Partial<WireFailure> | null;
  const { code, message, executed } = failure ?? {};
  if (typeof code !== "string" || typeof message !== "string") {
    throw new ProtocolError(
      "Cannot decode the failure of a call: code and message must be strings",
    );
  }
  const options: FailedCall = { ...call, executed: asExecuted(executed) };
  if (code === "REMOTE_CALL") return remoteCallError(failure?.error, options);
  if (code === "VALIDATION") {
    return new ValidationError(message, asIssues(failure?.issues), options);
  }
  const Class = BY_CODE.get(code);
  return Class === undefined ? new DaffiError(code, message, options) : new Class(message, options);
}

function remoteCallError(thrown: unknown, call: FailedCall): RemoteCallError {
  const where = `${call.callbackName} on ${call.processName}`;
  const options = { ...call, executed: "yes", cause: thrown } as const;
  if (!(thrown instanceof Error)) {
    const text = typeof thrown === "string" ? thrown : describeThrown(thrown);
    return new RemoteCallError(`${where} threw ${text}`, {
      remoteName: thrown === null ? "null" : typeof thrown,
      remoteMessage: text,
    }, options);
  }
  return new RemoteCallError(`${where} threw ${thrown.name}: ${thrown.message}`, {
    remoteName: thrown.name,
    remoteMessage: thrown.message,
    remoteStack: thrown.stack,
    remoteFields: Object.fromEntries(Object.entries(thrown)),
  }, options);
}

function describeThrown(thrown: unknown): string {
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return String(thrown);
  }
}

function asExecuted(value: unknown): Executed {
  return value === "never" || value === "yes" ? value : "maybe";
}

function asIssues(value: unknown): ValidationIssue[] {
  if (!Array.isArray(value)) return [];
  return value.filter((issue) => typeof issue?.message === "string" && Array.isArray(issue.path));
}
