// The caller of a system: node caller.ts <meeting as JSON>.
import { type Meeting, meeting, serveContender } from "../program.ts";
import { load } from "./systems.ts";

const here = meeting<Meeting & { peer: string }>();
const { connect } = await load(here.peer);
await serveContender(() => connect(here));
