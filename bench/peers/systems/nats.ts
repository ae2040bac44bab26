/**
 * NATS: request and reply through `nats-server`, JSON in text, bytes as they are.
 *
 * @module
 */

import {
  connect as join,
  createInbox,
  type Msg,
  type NatsConnection,
} from "@nats-io/transport-node";
import type { Contender } from "../../contender.ts";
import type { Meeting } from "../../program.ts";
import { sendAll, Taken } from "../flow.ts";
import { type Crowd, crowdNumbers, SMALL_CROWD } from "../peer.ts";

type NatsMeeting = Meeting & {
  natsUrl: string;
  /** The client's own requests, each with a timeout; or plain messages with a subject to reply to. */
  requests: "request" | "inbox";
};

type Request = (subject: string, data: string | Uint8Array) => Promise<Msg>;

// A stack trace per request is the slowest part of a request, and the client's documentation says to
// leave it out where speed counts.
const open = (meeting: NatsMeeting): Promise<NatsConnection> =>
  join({ servers: meeting.natsUrl, noAsyncTraces: true });

const TIMEOUT_MS = 60_000;

function add(message: Msg): void {
  const [a, b] = message.json<[number, number]>();
  message.respond(JSON.stringify(a + b));
}

function on(nats: NatsConnection, subject: string, callback: (message: Msg) => void): void {
  nats.subscribe(subject, {
    callback(error, message) {
      if (error) throw error;
      callback(message);
    },
  });
}

/** Counts what comes to `subject`, and tells it to who asks at `<subject>.arrived`. */
function take(nats: NatsConnection, subject: string): Taken {
  const taken = new Taken();
  on(nats, subject, (message) => taken.take(message.json<number>()));
  on(nats, `${subject}.arrived`, (message) => message.respond(JSON.stringify(taken.count)));
  return taken;
}

async function give(nats: NatsConnection, subject: string, count: number): Promise<void> {
  await sendAll(
    count,
    (n) => nats.publish(subject, JSON.stringify(n)),
    async () => (await nats.request(`${subject}.arrived`, "", { timeout: TIMEOUT_MS })).json(),
  );
}

export async function serve(meeting: NatsMeeting): Promise<object> {
  const nats = await open(meeting);
  on(nats, "add", add);
  on(nats, "echo", (message) => void message.respond(JSON.stringify(message.json())));
  on(nats, "echoBytes", (message) => void message.respond(message.data));
  on(nats, "download", async (message) => {
    await give(nats, "download.items", message.json<number>());
    message.respond();
  });
  for (const subject of ["oneWay", "upload"]) {
    const taken = take(nats, subject);
    on(nats, `${subject}.finish`, (message) => {
      taken.finish(message.json<number>());
      message.respond();
    });
  }
  await nats.flush();
  return {};
}

export async function serveCrowd(meeting: NatsMeeting, crowd: Crowd): Promise<object> {
  for (const number of crowdNumbers(crowd)) {
    const nats = await open(meeting);
    on(nats, "add.50", add);
    if (number < SMALL_CROWD) on(nats, "add.10", add);
    await nats.flush();
  }
  return {};
}

/** All that a request needs, and nothing more: no timeout, and no notice when nobody listens. */
function inboxRequests(nats: NatsConnection): Request {
  const prefix = `${createInbox()}.`;
  const waiting = new Map<string, (message: Msg) => void>();
  let last = 0;
  on(nats, `${prefix}*`, (message) => {
    const id = message.subject.slice(prefix.length);
    waiting.get(id)!(message);
    waiting.delete(id);
  });
  return (subject, data) =>
    new Promise((resolve) => {
      const id = String(++last);
      waiting.set(id, resolve);
      nats.publish(subject, data, { reply: prefix + id });
    });
}

export async function connect(meeting: NatsMeeting): Promise<Contender> {
  const nats = await open(meeting);
  const request: Request = meeting.requests === "inbox"
    ? inboxRequests(nats)
    : (subject, data) => nats.request(subject, data, { timeout: TIMEOUT_MS });
  const taken = take(nats, "download.items");
  const giveAll = async (subject: string, count: number): Promise<void> => {
    await give(nats, subject, count);
    await request(`${subject}.finish`, JSON.stringify(count));
  };
  await nats.flush();
  return {
    async add(a, b) {
      return (await request("add", JSON.stringify([a, b]))).json<number>();
    },
    async echo(value) {
      return (await request("echo", JSON.stringify(value))).json();
    },
    async echoBytes(bytes) {
      return (await request("echoBytes", bytes)).data;
    },
    oneWay: (count) => giveAll("oneWay", count),
    upload: (count) => giveAll("upload", count),
    async download(count) {
      await request("download", JSON.stringify(count));
      taken.finish(count);
    },
    async broadcast(targets) {
      const answers = await nats.requestMany(`add.${targets}`, JSON.stringify([1, 2]), {
        strategy: "count",
        maxMessages: targets,
        maxWait: TIMEOUT_MS,
      });
      let correct = 0;
      for await (const answer of answers) if (answer.json() === 3) correct++;
      return correct;
    },
    close: () => nats.close(),
  };
}
