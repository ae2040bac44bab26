/**
 * The program of a sandbox: a process without permissions that runs functions which its parent sends
 * it. Speaks the frames of `docs/protocol.md` over its standard input and output: `CALL` with
 * `[source, name, ...arguments]`, answered by `RESULT` or `ERROR`.
 *
 * @module
 */

import type { DaffiError } from "../errors.ts";
import { Connection } from "../link/connection.ts";
import type { ByteStream } from "../transport/transport.ts";
import { MessagePackCodec } from "../wire/codec.ts";
import { encodeRefusal, encodeThrown } from "../wire/error_payload.ts";
import { type Frame, frame, Kind } from "../wire/frame.ts";
import { HEADER_BYTES } from "../wire/limits.ts";
import { compile, missingVariable } from "./function_source.ts";
import { EncodeError, TransferError } from "../errors.ts";

/** How often memory and parent are looked at. */
const WATCH_INTERVAL_MS = 50;

/**
 * A thread of its own, which a function that never returns cannot stop: it kills the process when it
 * uses too much memory, or when its parent is gone and nobody else would.
 */
function watch(memoryLimitBytes: number): void {
  const code = `
    import process from "node:process";
    const { pid, ppid } = Deno;
    const most = Deno.memoryUsage().rss + ${memoryLimitBytes};
    setInterval(() => {
      if (Deno.ppid !== ppid || Deno.memoryUsage().rss > most) process.kill(pid, "SIGKILL");
    }, ${WATCH_INTERVAL_MS});`;
  new Worker(`data:application/javascript,${encodeURIComponent(code)}`, { type: "module" });
}

/** The sandbox speaks for its node: it has that process's id, and writes where it does. */
function standInFor(pid: number): void {
  Object.defineProperty(Deno, "pid", { value: pid });
  // Standard output carries frames.
  for (const name of ["log", "info", "debug", "dir", "table"] as const) {
    console[name] = console.error;
  }
  // What a function leaves behind must not end the process for those that still run.
  for (const type of ["unhandledrejection", "error"]) {
    addEventListener(type, (event) => event.preventDefault());
  }
}

function standardStreams(): ByteStream {
  const { stdin, stdout } = Deno;
  return {
    read: (into) => stdin.read(into),
    write: (bytes) => stdout.write(bytes),
    close: () => Deno.exit(0),
  };
}

function serve(maxFrameBytes: number): void {
  const codec = new MessagePackCodec();

  const run = async ([source, name, ...args]: unknown[]): Promise<unknown> => {
    const called = { source: String(source), name: String(name) };
    const fn = compile(called);
    try {
      return await fn(...args);
    } catch (thrown) {
      throw missingVariable(called.name, thrown) ?? thrown;
    }
  };

  const answer = async (call: number, args: unknown[]): Promise<void> => {
    try {
      const payload = codec.encode(await run(args), "result");
      if (payload.length + HEADER_BYTES > maxFrameBytes) {
        throw new EncodeError(`Cannot send the result: it has ${payload.length} bytes`);
      }
      connection.send(frame(Kind.Result, { call, payload }));
    } catch (error) {
      const isOurs = error instanceof TransferError || error instanceof EncodeError;
      const payload = isOurs
        ? encodeRefusal(codec, error as DaffiError)
        : encodeThrown(codec, error);
      connection.send(frame(Kind.Error, { call, payload }));
    }
  };

  const connection = new Connection(standardStreams(), maxFrameBytes, {
    onFrame: ({ call, payload }: Frame) => void answer(call, codec.decode(payload) as unknown[]),
    onClose: () => Deno.exit(0),
  });
}

if (import.meta.main) {
  const [pid, memoryLimitMb, maxFrameBytes] = Deno.args.map(Number);
  watch(memoryLimitMb! * 1024 * 1024);
  standInFor(pid!);
  serve(maxFrameBytes!);
}
