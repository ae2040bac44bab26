// The callee of a system: node callee.ts <meeting as JSON>.
import { type Meeting, meeting, ready, stay } from "../program.ts";
import { load } from "./systems.ts";

const here = meeting<Meeting & { peer: string }>();
const { serve } = await load(here.peer);
ready(await serve(here));
await stay();
