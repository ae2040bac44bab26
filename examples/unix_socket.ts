// Without host and port, the processes of one machine meet at a UNIX socket: <temp dir>/daffi/.sock.
// Give `unixSockPath: "/some/directory"` to all of them for another place. Not for Windows.
//
//   deno run --allow-net --allow-read --allow-write --allow-env=TMPDIR examples/unix_socket.ts
import { callback, Global } from "@daffi/core";

callback(function greet(name: string) {
  return `Hello, ${name}!`;
});

// The second Global would be another process in a real program.
await using server = new Global({ processName: "server", initController: true });
await server.ready;
await using client = new Global({ processName: "client" });

await client.waitProcess("server");
console.log(await client.call.greet("socket"));

const { isSocket, mode } = await Deno.stat(client.socketPath!);
console.log(`a socket: ${isSocket}, for its owner alone: ${(mode! & 0o077) === 0}`);

await client.stop();
await server.stop();
console.log("removed:", await Deno.stat(server.socketPath!).then(() => false, () => true));
