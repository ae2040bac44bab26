import { Backlog } from "../../src/controller/backlog.ts";
import { Peer } from "../../src/controller/peer.ts";
import { DEFAULT_MAX_FRAME_BYTES, MAX_UNDER_WAY_BYTES } from "../../src/wire/limits.ts";
import { FakeConnection } from "../helpers/fake_connection.ts";

/** What a node may send to one of these after it was told to pause. */
export const UNDER_WAY_BYTES: number = MAX_UNDER_WAY_BYTES + DEFAULT_MAX_FRAME_BYTES;

/** A peer on a connection that only keeps what is sent. */
export function fakePeer(
  id: number,
  maxFrameBytes: number = DEFAULT_MAX_FRAME_BYTES,
  backlog: Backlog = new Backlog(new Map()),
  isOwn = false,
): { peer: Peer; wire: FakeConnection } {
  const wire = new FakeConnection();
  const { connection } = wire;
  return {
    peer: new Peer(id, `p${id}`, `i${id}`, maxFrameBytes, connection, backlog, isOwn),
    wire,
  };
}
