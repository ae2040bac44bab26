import { assert, assertEquals, assertMatch } from "@std/assert";
import "../../mod.ts"; // which provides what pages have no use for
import { WebListener } from "../../src/transport/web_listener.ts";
import { tokenProtocol } from "../../src/transport/web_token.ts";
import { OPCODE } from "../../src/transport/websocket_reader.ts";
import { isListenable } from "../helpers/is_listenable.ts";
import { soon } from "../helpers/soon.ts";
import { clientFrame, goodbye, upgradeRequest } from "./client_frames.ts";

const LOCAL = "127.0.0.1";

function listener(host?: string, tokens?: string[]): WebListener {
  const address = host === undefined ? undefined : { host, port: 0 };
  return new WebListener({ address, origins: undefined, tokens }, () => {});
}

/** A client that asks by hand, and gives what has come until this does. */
async function ask(port: number, request: Uint8Array) {
  const socket = await Deno.connect({ hostname: LOCAL, port });
  await socket.write(request);
  let text = "";
  const until = async (end: string) => {
    const into = new Uint8Array(4096);
    while (!text.includes(end)) {
      const count = await soon(socket.read(into), 10_000);
      assert(count !== null, text);
      text += String.fromCharCode(...into.subarray(0, count));
    }
    return text.slice(0, text.indexOf(end) + end.length);
  };
  return { socket, until };
}

async function prototypeOfConnections(): Promise<Deno.TcpConn> {
  using listening = Deno.listen({ hostname: LOCAL, port: 0 });
  using connection = await Deno.connect({ hostname: LOCAL, port: listening.addr.port });
  return Object.getPrototypeOf(connection);
}

/** Has another server hand requests on. */
function handing(listening: WebListener) {
  return Deno.serve(
    { hostname: LOCAL, port: 0, onListen() {} },
    (request, info) => listening.fetch(request, info),
  );
}

Deno.test("WebListener.fetch() agrees to the protocol, without which a browser that has a token closes", async () => {
  const listening = listener(undefined, ["let me in"]);
  const offered = `${tokenProtocol("let me in")}, daffi`;
  {
    await using server = handing(listening);
    const request = upgradeRequest(LOCAL, { "sec-websocket-protocol": offered });
    const client = await ask(server.addr.port, request);
    assertMatch(
      (await client.until("\r\n\r\n")).toLowerCase(),
      /\r\nsec-websocket-protocol: daffi\r\n/,
    );
    (await soon(listening.accept(), 10_000))!.close();
    await client.socket.write(goodbye(1000));
    client.socket.close();
  }
  listening.close();
  await listening.accept();
});

Deno.test("WebListener.fetch() tells Deno's client at once that a piece was taken", async () => {
  const listening = listener();
  {
    await using server = handing(listening);
    const request = upgradeRequest(LOCAL, { "user-agent": "Deno/2.9.6" });
    const client = await ask(server.addr.port, request);
    await client.until("\r\n\r\n");
    const accepted = (await soon(listening.accept(), 10_000))!;
    await client.socket.write(clientFrame(OPCODE.binary, new Uint8Array(1024)));
    assertEquals(await soon(accepted.read(new Uint8Array(2000))), 1024);
    await client.until("\x81\x041024");
    accepted.close();
    await client.socket.write(goodbye(1000));
    client.socket.close();
  }
  listening.close();
  await listening.accept();
});

Deno.test({
  name: "WebListener has an IPv6 address in brackets in its URL",
  ignore: !isListenable("::1"),
  async fn() {
    const listening = await listener("::1").listen();
    assertMatch(listening.address.url!, /^ws:\/\/\[::1\]:\d+\/$/);
    listening.close();
    assertEquals(await listening.accept(), null);
  },
});

Deno.test("WebListener tells of connections that cannot be accepted, and goes on", async () => {
  const told: string[] = [];
  const listening = await listener(LOCAL).listen((error) => told.push(error.message));
  const port = Number(new URL(listening.address.url!).port);
  const prototype = await prototypeOfConnections();
  const { setNoDelay } = prototype;
  prototype.setNoDelay = () => {
    prototype.setNoDelay = setNoDelay;
    throw new TypeError("Invalid argument");
  };
  try {
    using refused = await Deno.connect({ hostname: LOCAL, port });
    assertEquals(await soon(refused.read(new Uint8Array(1)), 10_000), null);
    const client = await ask(port, upgradeRequest(LOCAL));
    await client.until("\r\n\r\n");
    const accepted = (await soon(listening.accept(), 10_000))!;
    assertEquals(told, ["Invalid argument"]);
    accepted.close();
    await client.socket.write(goodbye(1000));
    client.socket.close();
  } finally {
    prototype.setNoDelay = setNoDelay;
    listening.close();
    await listening.accept();
  }
});
