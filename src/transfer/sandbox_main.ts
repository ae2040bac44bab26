/**
 * The program of a sandbox: a process without permissions that runs functions which its parent sends
 * it. Speaks the frames of `docs/protocol.md` over its standard input and output: `CALL` with
 * `[source, name, encoded arguments]`, answered by `RESULT` or `ERROR`, and `WELCOME` when it is up.
 *
 * What runs is `sandbox_program.ts`, made of this by `deno task build:sandbox`.
 *
 * @module
 */

import process from "node:process";
import { type DaffiError, EncodeError, TransferError } from "../errors.ts";
import { Connection } from "../link/connection.ts";
import type { ByteStream } from "../transport/transport.ts";
import { MessagePackCodec } from "../wire/codec.ts";
import { encodeRefusal, encodeThrown } from "../wire/error_payload.ts";
import { type Frame, frame, Kind } from "../wire/frame.ts";
import { HEADER_BYTES } from "../wire/limits.ts";
import { MAX_SENT_FAILURE_BYTES, missingVariable, ownStack } from "./function_failure.ts";
import { argumentsFor, compile, type FunctionSource } from "./function_source.ts";

/** How often memory and parent are looked at. */
const WATCH_INTERVAL_MS = 50;

/**
 * A thread of its own, which a function that never returns cannot stop: it kills the process when it
 * uses too much memory, or when its parent is gone and nobody else would.
 *
 * @returns Resolves when it watches.
 */
function watch(parent: number, memoryLimitBytes: number): Promise<void> {
  const code = `
    import process from "node:process";
    const { pid } = process;
    const most = Deno.memoryUsage().rss + ${memoryLimitBytes};
    const look = () => {
      if (Deno.ppid !== ${parent} || Deno.memoryUsage().rss > most) process.kill(pid, "SIGKILL");
    };
    setInterval(look, ${WATCH_INTERVAL_MS});
    look();
    postMessage("watching");`;
  const worker = new Worker(`data:application/javascript,${encodeURIComponent(code)}`, {
    type: "module",
  });
  return new Promise((resolve) => worker.onmessage = () => resolve());
}

/** Collects the garbage of functions that are done, so that it does not count as what the next ones use. */
function collector(memoryLimitBytes: number): () => void {
  const realm = globalThis as { gc?: (() => void) | undefined };
  const { gc } = realm;
  const { memoryUsage } = Deno; // functions may put something else in its place
  realm.gc = undefined;
  let leastBytes = memoryUsage().rss;
  return () => {
    if (memoryUsage().rss - leastBytes < memoryLimitBytes / 8) return;
    for (let times = 0; times < 2; times++) gc!(); // the memory of arrays is given back as the second one begins
    leastBytes = memoryUsage().rss;
  };
}

/** The sandbox speaks for its node: it has that process's id. Nothing else gets out of it. */
function standInFor(pid: number): ByteStream {
  const { stdin, stdout, stderr } = Deno;
  const define = (target: object, name: string, value: unknown) =>
    Object.defineProperty(target, name, { value, configurable: true });
  define(Deno, "pid", pid);
  // Standard output carries frames; what functions print goes where the node logs it.
  define(Deno, "stdout", stderr);
  define(process, "stdout", process.stderr);
  const own = new Set(["error", "warn", "trace", "assert"]);
  for (const [name, value] of Object.entries(console)) {
    if (typeof value === "function" && !own.has(name)) define(console, name, console.error);
  }
  // These keep things on the disk, or run on behind everybody's back.
  for (const name of ["localStorage", "sessionStorage", "caches", "Worker"]) {
    define(globalThis, name, undefined);
  }
  // Variables of many programs are called so: a function that uses one without bringing it must hear of it.
  for (const name of ["name", "closed", "location"]) Reflect.deleteProperty(globalThis, name);
  // What a function leaves behind must not end the process for those that still run.
  const { error: say } = console;
  for (const type of ["unhandledrejection", "error"] as const) {
    addEventListener(type, (event: Event & { reason?: unknown; error?: unknown }) => {
      event.preventDefault();
      try {
        say("Nobody handles:", event.reason ?? event.error);
      } catch { /* what was thrown throws when it is looked at */ }
    });
  }
  return {
    read: (into) => stdin.read(into),
    write: (bytes) => stdout.write(bytes),
    close: () => Deno.exit(0),
  };
}

function serve(stream: ByteStream, maxFrameBytes: number, collect: () => void): void {
  const codec = new MessagePackCodec();
  const failureCodec = new MessagePackCodec();
  failureCodec.maxBytes = MAX_SENT_FAILURE_BYTES;

  /** Apart from running it, so that nothing of the payload is kept as long as that takes. */
  const prepare = (payload: Uint8Array): [FunctionSource, unknown[]] => {
    const [source, name, args] = codec.decode(payload) as [string, string, Uint8Array];
    return [{ source, name }, argumentsFor(name, codec, args)];
  };

  const run = async (sent: FunctionSource, args: unknown[]): Promise<unknown> => {
    const fn = compile(sent);
    try {
      return await fn(...args);
    } catch (thrown) {
      throw missingVariable(sent, thrown) ?? ownStack(thrown);
    }
  };

  const encodeResult = (result: unknown): Uint8Array => {
    try {
      const encoded = codec.encode(result, "result");
      if (encoded.length + HEADER_BYTES <= maxFrameBytes) return encoded;
      const most = maxFrameBytes - HEADER_BYTES;
      throw new EncodeError(
        `Cannot send the result: it has ${encoded.length} bytes, at most ${most} are allowed`,
      );
    } catch (error) {
      const { message } = error as Error;
      throw new EncodeError(message, { executed: "yes" }); // the function ran
    }
  };

  const answer = async (call: number, payload: Uint8Array): Promise<void> => {
    collect();
    try {
      const value = await run(...prepare(payload));
      collect();
      const result = encodeResult(value);
      connection.send(frame(Kind.Result, { call, payload: result }));
    } catch (error) {
      const isOurs = error instanceof TransferError || error instanceof EncodeError;
      const failure = isOurs
        ? encodeRefusal(failureCodec, error as DaffiError)
        : encodeThrown(failureCodec, error);
      connection.send(frame(Kind.Error, { call, payload: failure }));
    }
  };

  const connection = new Connection(stream, maxFrameBytes, {
    onFrame: ({ call, payload }: Frame) => void answer(call, payload),
    onClose: () => Deno.exit(0),
  });
  connection.send(frame(Kind.Welcome));
}

const [pid, memoryLimitMb, maxFrameBytes] = Deno.args.map(Number);
const memoryLimitBytes = memoryLimitMb! * 1024 * 1024;
await watch(pid!, memoryLimitBytes);
serve(standInFor(pid!), maxFrameBytes!, collector(memoryLimitBytes));
