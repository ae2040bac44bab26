/**
 * Moleculer: nodes that call each other over TCP, or through `nats-server`. No logger, metrics,
 * validator or middlewares.
 *
 * @module
 */

import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type BrokerOptions, type Context, ServiceBroker, type ServiceSchema } from "moleculer";
import type { Contender } from "../../contender.ts";
import type { Meeting } from "../../program.ts";
import { expectAll, numbers, sendAll, Taken } from "../flow.ts";
import { type Crowd, crowdNumbers } from "../peer.ts";

type MoleculerMeeting = Meeting & {
  serializer: "JSON" | "CBOR";
  /** The broker, if there is one. */
  natsUrl?: string;
  /** Who has been started before: the callee, and the crowd. */
  nodes?: { name: string; url: string }[];
};

// What is longer goes as a stream, as the documentation wants it: the time that a packet takes grows
// with the square of its length.
const PIECE_BYTES = 256 * 1024;
// The default of 32 would close connections to the crowd and open them again.
const MAX_CONNECTIONS = 100;
// So that it does not disturb: the caller asks everybody once, at the start.
const GOSSIP_PERIOD_SECONDS = 3600;

async function start(
  meeting: MoleculerMeeting,
  nodeID: string,
  services: ServiceSchema[],
): Promise<ServiceBroker> {
  const { serializer, natsUrl, nodes = [] } = meeting;
  const transporter = natsUrl !== undefined
    ? { type: "NATS", options: { url: natsUrl, noAsyncTraces: true } }
    : {
      type: "TCP",
      options: {
        udpDiscovery: false,
        useHostname: false,
        urls: nodes.map(({ url }) => url),
        maxConnections: MAX_CONNECTIONS,
        gossipPeriod: GOSSIP_PERIOD_SECONDS,
      },
    };
  const broker = new ServiceBroker({
    nodeID,
    transporter,
    serializer,
    logger: false,
    metrics: false,
    tracing: false,
    validator: false,
    internalServices: false,
    internalMiddlewares: false,
  } as BrokerOptions);
  for (const service of services) broker.createService(service);
  await broker.start();
  return broker;
}

interface TcpTransporter {
  opts: { port: number };
  /** Asks one of those that it has not yet heard of; other transporters have no need of it. */
  sendGossipRequest?(): void;
}

function transporterOf(broker: ServiceBroker): TcpTransporter {
  return (broker.transit as unknown as { tx: TcpTransporter }).tx;
}

/** Who has been started: those before, and these. */
function startedWith({ nodes = [] }: MoleculerMeeting, brokers: ServiceBroker[]): object {
  const more = brokers.map((broker) => {
    const { port } = transporterOf(broker).opts;
    return { name: broker.nodeID, url: `127.0.0.1:${port}/${broker.nodeID}` };
  });
  return { nodes: [...nodes, ...more] };
}

const add = (context: Context<{ a: number; b: number }>) => context.params.a + context.params.b;

export async function serve(meeting: MoleculerMeeting): Promise<object> {
  const oneWay = new Taken();
  const broker = await start(meeting, "callee", [{
    name: "callee",
    actions: {
      add,
      echo: (context: Context) => context.params,
      echoStream: (context: Context) => (context as unknown as { stream: Readable }).stream,
      download: (context: Context<{ count: number }>) =>
        Readable.from(numbers(context.params.count)),
      async upload(context: Context) {
        const taken = new Taken();
        const { stream } = context as unknown as { stream: Readable };
        for await (const n of stream) taken.take(n);
        return taken.count;
      },
      arrived: () => oneWay.count,
      finish: (context: Context<{ count: number }>) => oneWay.finish(context.params.count),
    },
    events: {
      oneWay: (context: Context<number[]>) => oneWay.take(context.params[0]!),
    },
  } as ServiceSchema]);
  return startedWith(meeting, [broker]);
}

export async function serveCrowd(meeting: MoleculerMeeting, crowd: Crowd): Promise<object> {
  const service: ServiceSchema = { name: "crowd", actions: { add } };
  const brokers = await Promise.all(
    crowdNumbers(crowd).map((number) => start(meeting, `crowd${number}`, [service])),
  );
  return startedWith(meeting, brokers);
}

export async function connect(meeting: MoleculerMeeting): Promise<Contender> {
  const broker = await start(meeting, "caller", []);
  const call = <T>(name: string, params: unknown, options?: object): Promise<T> =>
    broker.call<T, unknown>(name, params, options) as Promise<T>;
  const names = meeting.nodes!.map(({ name }) => name);
  const known = broker.registry.nodes as unknown as Map<string, { available: boolean }>;
  while (!names.every((name) => known.get(name)?.available)) {
    transporterOf(broker).sendGossipRequest?.();
    await sleep(5);
  }
  return {
    add: (a, b) => call("callee.add", { a, b }),
    echo: (value) => call("callee.echo", value),
    ...meeting.serializer !== "JSON" && {
      async echoBytes(bytes: Uint8Array) {
        if (bytes.length <= PIECE_BYTES) return await call<Uint8Array>("callee.echo", bytes);
        const stream = Readable.from(pieces(bytes), { objectMode: false });
        const chunks: Uint8Array[] = [];
        for await (const chunk of await call<Readable>("callee.echoStream", {}, { stream })) {
          chunks.push(chunk);
        }
        return Buffer.concat(chunks);
      },
    },
    async oneWay(count) {
      await sendAll(
        count,
        (n) => void broker.emit("oneWay", [n]),
        () => call<number>("callee.arrived", {}),
      );
      await call("callee.finish", { count });
    },
    async download(count) {
      const taken = new Taken();
      for await (const n of await call<Readable>("callee.download", { count })) taken.take(n);
      taken.finish(count);
    },
    async upload(count) {
      const stream = Readable.from(numbers(count));
      const taken = await call<number>("callee.upload", {}, { stream });
      expectAll(taken, count);
    },
    // There is no call to many, but as many calls.
    async broadcast(targets) {
      const answers = await Promise.all(
        names.slice(1, 1 + targets).map((nodeID) => call("crowd.add", { a: 1, b: 2 }, { nodeID })),
      );
      return answers.filter((answer) => answer === 3).length;
    },
    close: () => broker.stop(),
  };
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    yield bytes.subarray(at, at + PIECE_BYTES);
  }
}
