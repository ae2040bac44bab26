import { Backlog } from "../../src/controller/backlog.ts";
import { Peer } from "../../src/controller/peer.ts";
import { Announcer } from "../../src/controller/announcer.ts";
import { Router } from "../../src/controller/router.ts";
import { Flag, frame, Kind } from "../../src/wire/frame.ts";
import { DEFAULT_MAX_FRAME_BYTES } from "../../src/wire/limits.ts";
import { Sink } from "./sink.ts";

const PROVIDERS = 50;

for (const nodes of [100, 10_000]) {
  const peers = new Map<number, Peer>();
  const backlog = new Backlog(peers);
  for (let id = 1; id <= nodes; id++) {
    const { connection } = new Sink();
    const [name, instance] = [`node${id}`, `instance${id}`];
    const maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;
    peers.set(id, new Peer(id, name, instance, maxFrameBytes, connection, backlog, false));
  }
  const providers = new Set(Array.from({ length: PROVIDERS }, (_, i) => i + 2));
  const router = new Router(peers, () => providers, new Announcer(peers));
  const source = peers.get(1)!;
  const call = frame(Kind.Call, { call: 1, payload: new Uint8Array(3) });
  let target = 1;

  Deno.bench(`route() a call to one of ${nodes}`, { group: "call" }, () => {
    target = target % nodes + 1;
    call.peer = target;
    router.route(source, call);
  });

  const broadcast = frame(Kind.Broadcast, { call: 1, payload: new Uint8Array(3) });
  Deno.bench(`route() a call to ${PROVIDERS} of ${nodes}`, { group: "broadcast" }, () => {
    broadcast.kind = Kind.Broadcast;
    broadcast.flags = Flag.NoReply;
    router.route(source, broadcast);
  });
}
