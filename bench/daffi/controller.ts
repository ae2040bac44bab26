/** A process that is a Controller and nothing else. Answers how much memory it takes. */

import { Global } from "@daffi/core";
import process from "node:process";
import { answer, ready } from "../program.ts";
import { place } from "./place.ts";

const g = new Global({ ...place(), initController: true, initNode: false });
await g.ready;
ready({ port: g.port });
await answer(() => {
  for (let times = 0; times < 2; times++) (globalThis as { gc?: () => void }).gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return Promise.resolve({ rssBytes: rss, heapBytes: heapUsed + external });
}, () => g.stop());
