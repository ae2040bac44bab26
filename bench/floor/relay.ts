/** The process in the middle: copies bytes, without looking at them. */

import { ready, stay } from "../program.ts";
import { BUFFER_BYTES, dial, listen, withoutDelay, writeAll } from "./socket.ts";

const { listener, fields } = listen("relay");
accept();
ready(fields);
await stay(() => Promise.resolve());

async function accept(): Promise<void> {
  for await (const near of listener) {
    withoutDelay(near);
    const far = await dial("callee");
    copy(near, far);
    copy(far, near);
  }
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      await writeAll(to, buffer.subarray(0, count));
    }
    to.close();
  } catch {
    // The other direction has closed it.
  }
}
