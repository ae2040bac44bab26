// The callee of a system, or a part of the crowd that answers its broadcasts.
import { meeting, ready, stay } from "../program.ts";
import { load } from "./load.ts";
import type { PeerMeeting } from "./peer.ts";

const here = meeting<PeerMeeting>();
const peer = await load(here.peer);
ready(await (here.crowd ? peer.serveCrowd(here, here.crowd) : peer.serve(here)));
await stay(() => Promise.resolve());
