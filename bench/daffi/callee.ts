/** A process that is called. */

import { Global } from "@daffi/core";
import { ready, stay } from "../program.ts";
import { calleeCallbacks } from "./callbacks.ts";
import { place } from "./place.ts";

const g = new Global({ ...place(), processName: "callee", callbacks: calleeCallbacks() });
await g.ready;
ready();
await stay(() => g.stop());
