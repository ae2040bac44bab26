// The caller of a system.
import { meeting, serveContender } from "../program.ts";
import { load } from "./load.ts";
import type { PeerMeeting } from "./peer.ts";

const here = meeting<PeerMeeting>();
const { connect } = await load(here.peer);
await serveContender(() => connect(here));
