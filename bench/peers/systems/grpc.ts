/**
 * gRPC: `@grpc/grpc-js`, one channel from the caller to the callee, Protocol Buffers.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Contender } from "../../contender.ts";
import type { Meeting } from "../../program.ts";
import { expectAll, Taken } from "../flow.ts";
import type { Crowd } from "../peer.ts";

type GrpcMeeting = Meeting & { calleePort: number; crowdPorts?: number[] };
type Pair = { a: number; b: number };
type Numbered = { n: number };
type Answer<T> = (error: grpc.ServiceError | null, value: T) => void;

const OPTIONS: grpc.ChannelOptions = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  "grpc.enable_channelz": 0,
  // Retries keep what was sent, and the time that takes grows with the square of a stream's length.
  "grpc.per_rpc_retry_buffer_size": 0,
};

const definition = loadSync(fileURLToPath(new URL("./grpc.proto", import.meta.url)), {
  keepCase: true,
});
const { Callee } = (grpc.loadPackageDefinition(definition) as unknown as {
  bench: { Callee: grpc.ServiceClientConstructor };
}).bench;

const echo = ({ request }: { request: unknown }, answer: Answer<unknown>) => answer(null, request);

const implementation: grpc.UntypedServiceImplementation = {
  Add: ({ request: { a, b } }: { request: Pair }, answer: Answer<Numbered>) =>
    answer(null, { n: a + b }),
  EchoPerson: echo,
  EchoRows: echo,
  EchoBytes: echo,
  Download: (call: grpc.ServerWritableStream<Numbered, Numbered>) =>
    writeNumbers(call, call.request.n),
  Upload(call: grpc.ServerReadableStream<Numbered, Numbered>, answer: Answer<Numbered>) {
    const taken = new Taken();
    call.on("data", ({ n }: Numbered) => taken.take(n));
    call.on("end", () => answer(null, { n: taken.count }));
  },
};

export async function serve(): Promise<object> {
  return { calleePort: await listen() };
}

export async function serveCrowd(
  { crowdPorts = [] }: GrpcMeeting,
  { nodes }: Crowd,
): Promise<object> {
  const ports = await Promise.all(Array.from({ length: nodes }, listen));
  return { crowdPorts: [...crowdPorts, ...ports] };
}

function listen(): Promise<number> {
  const server = new grpc.Server(OPTIONS);
  server.addService(Callee.service, implementation);
  return new Promise((resolve, reject) =>
    server.bindAsync(
      "127.0.0.1:0",
      grpc.ServerCredentials.createInsecure(),
      (error, port) => error ? reject(error) : resolve(port),
    )
  );
}

type NumberWriter =
  | grpc.ServerWritableStream<Numbered, Numbered>
  | grpc.ClientWritableStream<Numbered>;

function writeNumbers(to: NumberWriter, count: number): void {
  let n = 0;
  const more = () => {
    while (n < count) if (!to.write({ n: n++ })) return void to.once("drain", more);
    to.end();
  };
  more();
}

export function connect({ calleePort, crowdPorts = [] }: GrpcMeeting): Promise<Contender> {
  const dial = (port: number) =>
    new Callee(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), OPTIONS);
  const callee = dial(calleePort);
  const crowd = crowdPorts.map(dial);
  const unary = <T>(client: grpc.Client, method: string, request: unknown): Promise<T> =>
    new Promise((resolve, reject) =>
      (client as unknown as Record<string, (request: unknown, answer: Answer<T>) => void>)[method]!(
        request,
        (error, value) => error ? reject(error) : resolve(value),
      )
    );
  return Promise.resolve(
    {
      async add(a, b) {
        return (await unary<Numbered>(callee, "Add", { a, b })).n;
      },
      async echo(value) {
        if (!Array.isArray(value)) return await unary(callee, "EchoPerson", value);
        return (await unary<{ rows: unknown[] }>(callee, "EchoRows", { rows: value })).rows;
      },
      async echoBytes(bytes) {
        return (await unary<{ bytes: Uint8Array }>(callee, "EchoBytes", { bytes })).bytes;
      },
      download: (count) =>
        new Promise((resolve, reject) => {
          const taken = new Taken();
          const call = callee.Download({ n: count });
          call.on("data", ({ n }: Numbered) => taken.take(n));
          call.on("error", reject);
          call.on("end", () => {
            taken.finish(count);
            resolve();
          });
        }),
      async upload(count) {
        const { n } = await new Promise<Numbered>((resolve, reject) => {
          const answer: Answer<Numbered> = (error, value) => error ? reject(error) : resolve(value);
          writeNumbers(callee.Upload(answer), count);
        });
        expectAll(n, count);
      },
      // There is no call to many, but as many calls.
      async broadcast(targets) {
        const answers = await Promise.all(
          crowd.slice(0, targets).map((client) => unary<Numbered>(client, "Add", { a: 1, b: 2 })),
        );
        return answers.filter(({ n }) => n === 3).length;
      },
      close() {
        for (const client of [callee, ...crowd]) client.close();
        return Promise.resolve();
      },
    } satisfies Contender,
  );
}
