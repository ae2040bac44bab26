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
  TransferError,
  ValidationError,
  type ValidationIssue,
} from "../errors.ts";
import type { Codec } from "./codec.ts";
import { defineField, OWN_PARTS } from "./error_parts.ts";

const MAX_ERRORS = 16;
const MAX_TEXT = 16 * 1024;
/** Largest payload of a failure. */
export const MAX_FAILURE_BYTES: number = 1024 * 1024;

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
  new (message: string, options?: FailedCall) => DaffiError
> = new Map(
  [
    CallbackNotFoundError,
    CallCancelledError,
    CallTimeoutError,
    EncodeError,
    InitializationError,
    OverloadedError,
    ProtocolError,
    TransferError,
  ].map((Class) => [new Class("").code, Class]),
);

/** Encodes what a callback threw, whatever it is: the caller must get an answer. */
export function encodeThrown(codec: Codec, thrown: unknown): Uint8Array {
  // As it is, then the parts of it that can travel, then what fits into the smallest frame that may be the
  // largest one, then at least that it was thrown.
  const attempts = [
    () => thrown,
    () => portable(codec, thrown, { errors: MAX_ERRORS, fields: 64, text: MAX_TEXT }),
    () => portable(codec, thrown, { errors: 1, fields: 0, text: MAX_TEXT / 4 }),
    () => new Error("[the thrown value cannot be sent]"),
  ];
  for (const attempt of attempts) {
    try {
      const failure: WireFailure = {
        code: "REMOTE_CALL",
        message: "",
        executed: "yes",
        error: attempt(),
      };
      const payload = codec.encode(failure, "error");
      if (fits(codec, payload)) return payload;
    } catch {
      // the next attempt takes less of it
    }
  }
  return encodeRefusal(codec, new DaffiError("REMOTE_CALL", "", { executed: "yes" }));
}

/** Encodes why the callback's node did not run the callback, or not to the end. */
export function encodeRefusal(
  codec: Codec,
  error: DaffiError,
  executed: Executed = error.executed ?? "never",
): Uint8Array {
  const { code, message } = error;
  const failure: WireFailure = { code, message: cut(message), executed };
  if (error instanceof ValidationError) {
    try {
      const issues = error.issues.slice(0, 100);
      const payload = codec.encode({ ...failure, issues }, "error");
      if (fits(codec, payload)) return payload;
    } catch {
      // A schema may put anything into them; the message says the same.
    }
  }
  return codec.encode(failure, "error");
}

function fits(codec: Codec, { length }: Uint8Array): boolean {
  return length <= Math.min(MAX_FAILURE_BYTES, codec.maxBytes);
}

/** What is taken of an error. */
interface Most {
  /** Errors in all, the causes and so on included. */
  errors: number;
  /** Fields of each. */
  readonly fields: number;
  /** Length of name, message and stack. */
  readonly text: number;
}

/** The parts of a thrown value that can travel, at most so many. */
function portable(codec: Codec, thrown: unknown, most: Most): unknown {
  if (!(thrown instanceof Error)) return fieldOf(codec, thrown);
  if (most.errors-- <= 0) return "[left out]";
  const nested = (value: unknown) => portable(codec, value, most);
  const short = (value: unknown) => cut(textOf(value), most.text);
  const message = short(thrown.message);
  const copy = thrown instanceof AggregateError && Array.isArray(thrown.errors)
    ? new AggregateError(thrown.errors.slice(0, MAX_ERRORS).map(nested), message)
    : new Error(message);
  copy.name = short(thrown.name);
  copy.stack = short(thrown.stack);
  if (thrown.cause !== undefined) copy.cause = nested(thrown.cause);
  for (const key of Object.keys(thrown).slice(0, most.fields)) {
    if (OWN_PARTS.has(key)) continue;
    Object.defineProperty(copy, key, { value: readField(codec, thrown, key), enumerable: true });
  }
  return copy;
}

function readField(codec: Codec, thrown: Error, key: string): unknown {
  try {
    return fieldOf(codec, (thrown as unknown as Record<string, unknown>)[key]);
  } catch {
    return "[not sent]"; // a getter that throws
  }
}

/** The value if it can travel as a part of an error, or what it is in words. */
function fieldOf(codec: Codec, value: unknown): unknown {
  try {
    // Nested as deep as the last of a chain of causes may be.
    let nested = value;
    for (let i = 0; i < 2 * MAX_ERRORS; i++) nested = [nested];
    if (codec.encode(nested, "error").length <= MAX_TEXT) return value;
  } catch {
    // in words, then
  }
  return `[not sent: ${cut(textOf(value))}]`;
}

/** Something for people to read; never throws, whatever the value does when it is asked. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "function") return "a function";
  try {
    return String(value);
  } catch {
    return `a value of type ${typeof value}`;
  }
}

function cut(text: string, length = MAX_TEXT): string {
  return (text.length <= length ? text : text.slice(0, length) + "…").toWellFormed();
}

/**
 * Makes the caller's error from a payload.
 *
 * @throws {ProtocolError} when it is none.
 */
export function decodeFailure(codec: Codec, payload: Uint8Array, call: FailedCall): DaffiError {
  // A message made of much more would take seconds, and be logged.
  if (payload.length > MAX_FAILURE_BYTES) throw new ProtocolError("A failure is too large");
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

/** What an error tells of its call may become known later, and is not the other side's to say. */
const FACTS: readonly string[] = ["processName", "callbackName", "callId"];

function remoteCallError(thrown: unknown, call: FailedCall): RemoteCallError {
  const { callbackName, processName } = call;
  const where = callbackName === undefined ? processName : `${callbackName} on ${processName}`;
  const options = { ...call, executed: "yes", cause: thrown } as const;
  if (!(thrown instanceof Error)) {
    const text = typeof thrown === "string" ? thrown : cut(describeThrown(thrown));
    return new RemoteCallError(`${where} threw ${text}`, {
      remoteName: thrown === null ? "null" : typeof thrown,
      remoteMessage: text,
    }, options);
  }
  const remoteName = textOf(thrown.name);
  const remoteMessage = textOf(thrown.message);
  const fields = Object.entries(thrown);
  const error = new RemoteCallError(`${where} threw ${remoteName}: ${remoteMessage}`, {
    remoteName,
    remoteMessage,
    remoteStack: typeof thrown.stack === "string" ? thrown.stack : undefined,
    remoteFields: Object.fromEntries(fields),
  }, options);
  for (const [key, value] of fields) {
    if (!(key in error) && !FACTS.includes(key)) defineField(error, key, value, false);
  }
  return error;
}

function describeThrown(thrown: unknown): string {
  try {
    return JSON.stringify(thrown) ?? textOf(thrown);
  } catch {
    return textOf(thrown);
  }
}

function asExecuted(value: unknown): Executed {
  return value === "never" || value === "yes" ? value : "maybe";
}

function asIssues(value: unknown): ValidationIssue[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((issue) => {
    const { message, path } = issue ?? {};
    if (typeof message !== "string" || !Array.isArray(path)) return [];
    return [{
      message,
      path: path.filter((key) => typeof key === "string" || typeof key === "number"),
    }];
  });
}
