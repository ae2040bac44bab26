/**
 * Control payloads ↔ bytes: plain MessagePack, checked field by field, for what comes in is a
 * stranger's (`docs/protocol.md`, sections 4 and 5).
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { Decoder } from "./decoder.ts";
import { Encoder } from "./encoder.ts";
import {
  MAX_CALLBACKS_PER_NODE,
  MAX_CONTROL_BYTES,
  MAX_NAME_BYTES,
  PROOF_BYTES,
} from "./limits.ts";
import { isModest } from "./modest.ts";

/** A callback's name and the number that stands for it in frames. */
export type NamedCallback = readonly [nameId: number, name: string];

/** A process in the directory. */
export type ProcessEntry = readonly [
  id: number,
  name: string,
  callbacks: readonly NamedCallback[],
];

/** Payload of `HELLO`. */
export interface Hello {
  process: string;
  instance: string;
  maxFrameBytes: number;
  callbacks: readonly string[];
  /** Of a node with a secret: the version of authentication, and the node's nonce. */
  auth?: { version: number; nonce: Uint8Array };
}

/** Payload of `CHALLENGE`. */
export interface Challenge {
  nonce: Uint8Array;
}

/** Payload of `PROOF`. */
export interface Proof {
  mac: Uint8Array;
}

/** Payload of `WELCOME`. */
export interface Welcome {
  id: number;
  controller: string;
  maxFrameBytes: number;
  processes: readonly ProcessEntry[];
  /** The controller's proof, for a node with a secret. */
  mac?: Uint8Array;
}

/** Why a node may not join. */
export type RefusalCode =
  | "DUPLICATE_PROCESS"
  | "OVERLOADED"
  | "AUTHENTICATION"
  | "PROTOCOL";

/** Payload of `REFUSED`. */
export interface Refusal {
  code: string;
  message: string;
}

/** Payload of `DIRECTORY`: one change. */
export type DirectoryChange =
  | { type: "join"; process: ProcessEntry }
  | { type: "leave"; id: number; graceful: boolean }
  | { type: "offer"; id: number; callbacks: readonly NamedCallback[] }
  | { type: "withdraw"; id: number; callbacks: readonly number[] };

const utf8 = new TextEncoder();

/** Tells why a process or callback name is not allowed, or `undefined` if it is. */
export function nameProblem(name: unknown): string | undefined {
  if (typeof name !== "string") return `must be a string, not ${typeof name}`;
  if (name === "") return "must not be empty";
  if (name.length > MAX_NAME_BYTES || utf8.encode(name).length > MAX_NAME_BYTES) {
    return `must have at most ${MAX_NAME_BYTES} bytes`;
  }
  if (!name.isWellFormed() || name.startsWith("\ufeff")) {
    return "must be well-formed text without a byte order mark";
  }
  return undefined;
}

const encoder = new Encoder();

/** Any control payload. */
export type Control =
  | Hello
  | Challenge
  | Proof
  | Welcome
  | Refusal
  | DirectoryChange
  | readonly string[]
  | readonly number[];

/** Encodes a control payload. */
export function encodeControl(value: Control): Uint8Array {
  return controlToSend(value).slice();
}

/** The same for who sends it at once: it is valid until the next one is encoded. */
export function controlToSend(value: Control): Uint8Array {
  // Sixty times as fast as the library, which counts when nodes join a large network.
  return encoder.encode(value, "payload");
}

/** What a `HELLO` has besides its names: values, keys and lists. */
const MORE_THAN_NAMES = 32;

/** What a stranger has sent: it is looked over before anything is made of it. */
function decodeModest(bytes: Uint8Array): unknown {
  if (isModest(bytes, MAX_CALLBACKS_PER_NODE + MORE_THAN_NAMES)) return decodeControl(bytes);
  throw new ProtocolError(
    `Cannot decode the control payload: it is no MessagePack of at most ${MAX_CALLBACKS_PER_NODE} names`,
  );
}

/** Decodes the payload of `HELLO`. @throws {ProtocolError} when it is not one. */
export function decodeHello(bytes: Uint8Array): Hello {
  const map = asMap(decodeModest(bytes), "HELLO");
  const auth = field(map, "auth");
  return {
    process: asName(field(map, "process"), "HELLO.process"),
    instance: asName(field(map, "instance"), "HELLO.instance"),
    maxFrameBytes: asInteger(field(map, "maxFrameBytes"), "HELLO.maxFrameBytes"),
    callbacks: asCallbackNames(field(map, "callbacks"), "HELLO.callbacks"),
    ...(auth === undefined ? {} : { auth: asAuth(auth) }),
  };
}

function asAuth(value: unknown): { version: number; nonce: Uint8Array } {
  const map = asMap(value, "HELLO.auth");
  return {
    version: asInteger(field(map, "version"), "HELLO.auth.version"),
    nonce: asProofBytes(field(map, "nonce"), "HELLO.auth.nonce"),
  };
}

/** Decodes the payload of `CHALLENGE`. @throws {ProtocolError} when it is not one. */
export function decodeChallenge(bytes: Uint8Array): Challenge {
  const map = asMap(decodeControl(bytes), "CHALLENGE");
  return { nonce: asProofBytes(field(map, "nonce"), "CHALLENGE.nonce") };
}

/** Decodes the payload of `PROOF`. @throws {ProtocolError} when it is not one. */
export function decodeProof(bytes: Uint8Array): Proof {
  const map = asMap(decodeModest(bytes), "PROOF");
  return { mac: asProofBytes(field(map, "mac"), "PROOF.mac") };
}

/** Decodes the payload of `WELCOME`. @throws {ProtocolError} when it is not one. */
export function decodeWelcome(bytes: Uint8Array): Welcome {
  const map = asMap(decodeControl(bytes), "WELCOME");
  const mac = field(map, "mac");
  return {
    id: asInteger(field(map, "id"), "WELCOME.id"),
    controller: asName(field(map, "controller"), "WELCOME.controller"),
    maxFrameBytes: asInteger(field(map, "maxFrameBytes"), "WELCOME.maxFrameBytes"),
    processes: asList(field(map, "processes"), "WELCOME.processes", asProcess),
    ...(mac === undefined ? {} : { mac: asProofBytes(mac, "WELCOME.mac") }),
  };
}

/** Decodes the payload of `REFUSED`. @throws {ProtocolError} when it is not one. */
export function decodeRefusal(bytes: Uint8Array): Refusal {
  const map = asMap(decodeControl(bytes), "REFUSED");
  const code = field(map, "code");
  const message = field(map, "message");
  if (typeof code !== "string" || typeof message !== "string") {
    throw wrong("REFUSED", "two strings");
  }
  return { code, message };
}

/** Decodes the payload of `OFFER` and `WITHDRAW`. @throws {ProtocolError} when it is not one. */
export function decodeNames(bytes: Uint8Array): string[] {
  return asCallbackNames(decodeControl(bytes), "callbacks");
}

/** The same of a stranger, of which there may be too much. @throws {ProtocolError} when it is not one. */
export function readNames(bytes: Uint8Array): string[] {
  if (bytes.length <= MAX_CONTROL_BYTES) return asCallbackNames(decodeModest(bytes), "callbacks");
  throw new ProtocolError(`A control frame may have at most ${MAX_CONTROL_BYTES} bytes`);
}

/** Decodes the payload of `TARGETS`. @throws {ProtocolError} when it is not one. */
export function decodeTargets(bytes: Uint8Array): number[] {
  return asList(decodeControl(bytes), "TARGETS", asInteger);
}

/** Decodes the payload of `DIRECTORY`. @throws {ProtocolError} when it is not one. */
export function decodeDirectoryChange(bytes: Uint8Array): DirectoryChange {
  const map = asMap(decodeControl(bytes), "DIRECTORY");
  const type = field(map, "type");
  if (type === "join") {
    return { type, process: asProcess(field(map, "process"), "DIRECTORY.process") };
  }
  const id = asInteger(field(map, "id"), "DIRECTORY.id");
  const callbacks = field(map, "callbacks");
  switch (type) {
    case "leave": {
      const graceful = field(map, "graceful");
      if (typeof graceful !== "boolean") throw wrong("DIRECTORY.graceful", "true or false");
      return { type, id, graceful };
    }
    case "offer":
      return { type, id, callbacks: asList(callbacks, "DIRECTORY.callbacks", asNamedCallback) };
    case "withdraw":
      return { type, id, callbacks: asList(callbacks, "DIRECTORY.callbacks", asInteger) };
    default:
      throw wrong("DIRECTORY.type", "join, leave, offer or withdraw");
  }
}

/** A stranger's Set or RegExp may take seconds to be made. */
const decoder = new Decoder(true);

/** Decodes a payload of plain MessagePack. @throws {ProtocolError} when it is not one. */
export function decodeControl(bytes: Uint8Array): unknown {
  try {
    return decoder.decode(bytes, 0, bytes.length, undefined);
  } catch (error) {
    throw new ProtocolError("Cannot decode the control payload: it is not MessagePack", {
      cause: error,
    });
  }
}

function wrong(what: string, wanted: string): ProtocolError {
  return new ProtocolError(`Cannot decode the control payload: ${what} must be ${wanted}`);
}

function asMap(value: unknown, what: string): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw wrong(what, "a map");
}

function field(map: object, key: string): unknown {
  return Object.hasOwn(map, key) ? (map as Record<string, unknown>)[key] : undefined;
}

function asName(value: unknown, what: string): string {
  const problem = nameProblem(value);
  if (problem === undefined) return value as string;
  throw new ProtocolError(`Cannot decode the control payload: ${what} ${problem}`);
}

function asInteger(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffffffff) {
    return value;
  }
  throw wrong(what, "an unsigned 32-bit integer");
}

function asProofBytes(value: unknown, what: string): Uint8Array {
  if (value instanceof Uint8Array && value.length === PROOF_BYTES) return value;
  throw wrong(what, `${PROOF_BYTES} bytes`);
}

function asList<T>(value: unknown, what: string, as: (item: unknown, what: string) => T): T[] {
  if (!Array.isArray(value)) throw wrong(what, "a list");
  const each = `${what}[]`;
  return value.map((item) => as(item, each));
}

/** How many there are comes first: to look at a million names takes time. */
function asCallbackNames(value: unknown, what: string): string[] {
  if (Array.isArray(value) && value.length > MAX_CALLBACKS_PER_NODE) {
    throw wrong(what, `at most ${MAX_CALLBACKS_PER_NODE} names, not ${value.length}`);
  }
  return asList(value, what, asName);
}

function asNamedCallback(value: unknown, what: string): NamedCallback {
  if (!Array.isArray(value) || value.length !== 2) throw wrong(what, "an id and a name");
  return [asInteger(value[0], `${what}[0]`), asName(value[1], `${what}[1]`)];
}

function asProcess(value: unknown, what: string): ProcessEntry {
  if (!Array.isArray(value) || value.length !== 3) throw wrong(what, "an id, a name and callbacks");
  return [
    asInteger(value[0], `${what}[0]`),
    asName(value[1], `${what}[1]`),
    asList(value[2], `${what}[2]`, asNamedCallback),
  ];
}
