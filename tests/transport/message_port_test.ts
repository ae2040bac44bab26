import { assertEquals, assertRejects } from "@std/assert";
import { ConnectionError, ProtocolError } from "../../src/errors.ts";
import { messagePortStream, PortListener } from "../../src/transport/message_port.ts";
import { PORT_HANDSHAKE_TIMEOUT_MS } from "../../src/wire/limits.ts";
import { soon } from "../helpers/soon.ts";

/** A stream, and the port at the other end of which it is. */
function open() {
  const { port1, port2 } = new MessageChannel();
  const closed = Promise.withResolvers<void>();
  const stream = messagePortStream(port1);
  const close = port1.close.bind(port1);
  port1.close = () => {
    closed.resolve();
    close();
  };
  return { stream, port: port1, other: port2, closed: closed.promise };
}

const read = (stream: ReturnType<typeof messagePortStream>) =>
  soon(stream.read(new Uint8Array(10)));

for (const message of ["text", { bytes: 1 }, [1], true, new ArrayBuffer(4), 0, 0.5, 7, NaN]) {
  Deno.test(`messagePortStream() refuses ${Deno.inspect(message)}, and says goodbye`, async () => {
    const { stream, other, closed } = open();
    const goodbye = new Promise((resolve) => other.onmessage = ({ data }) => resolve(data));
    other.postMessage(message);
    await assertRejects(() => read(stream), ProtocolError, "broke the rules");
    assertEquals(await soon(goodbye), null);
    await soon(closed);
    other.close();
  });
}

Deno.test("messagePortStream() ends when a message cannot be read", async () => {
  const { stream, port, other, closed } = open();
  port.dispatchEvent(new MessageEvent("messageerror"));
  await assertRejects(() => read(stream), ProtocolError, "cannot be read");
  await soon(closed);
  other.close();
});

Deno.test("messagePortStream() closes its port after the other side's goodbye", async () => {
  const { stream, other, closed } = open();
  other.postMessage(Uint8Array.of(1, 2));
  other.postMessage(null);
  assertEquals(await read(stream), 2);
  assertEquals(await read(stream), null);
  await soon(closed);
  other.close();
});

Deno.test("messagePortStream() tells that the other side has gone without a goodbye", async () => {
  const { stream, port, other, closed } = open();
  port.dispatchEvent(new Event("close")); // as where its worker was terminated
  await assertRejects(() => read(stream), ConnectionError, "has gone");
  await soon(closed);
  other.close();
});

Deno.test("messagePortStream().write() leaves the bytes to their owner", async () => {
  const { stream, other } = open();
  const bytes = Uint8Array.of(1, 2, 3);
  const message = new Promise<Uint8Array>((resolve) =>
    other.onmessage = ({ data }) => resolve(data)
  );
  assertEquals(await stream.write(bytes.subarray(1)), 2);
  assertEquals(bytes, Uint8Array.of(1, 2, 3));
  bytes.fill(9);
  assertEquals(await soon(message), Uint8Array.of(2, 3));
  stream.close();
  other.close();
});

Deno.test("PortListener gives a worker time to load its program", async () => {
  const listener = new PortListener();
  const { port1, port2 } = new MessageChannel();
  listener.attach(port1);
  const stream = await listener.accept();
  assertEquals(stream?.handshakeTimeoutMs, PORT_HANDSHAKE_TIMEOUT_MS);
  stream?.close();
  port2.close();
});

Deno.test("PortListener.close() says goodbye to the ports that nobody has accepted", async () => {
  const listener = new PortListener();
  const [before, after] = [new MessageChannel(), new MessageChannel()];
  const goodbyes = [before, after].map(({ port2 }) =>
    new Promise((resolve) => port2.onmessage = ({ data }) => resolve(data))
  );
  listener.attach(before.port1);
  listener.close();
  listener.attach(after.port1);
  assertEquals(await soon(Promise.all(goodbyes)), [null, null]);
  assertEquals(await listener.accept(), null);
  for (const { port2 } of [before, after]) port2.close();
});
