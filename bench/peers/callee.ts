// The callee of a system, or the crowd that answers its broadcasts: node callee.ts <meeting as JSON>.
import { type Meeting, meeting, ready, stay } from "../program.ts";
import { load } from "./systems.ts";

const here = meeting<Meeting & { peer: string; crowd?: true }>();
const peer = await load(here.peer);
ready(await (here.crowd ? peer.serveCrowd(here) : peer.serve(here)));
await stay();
