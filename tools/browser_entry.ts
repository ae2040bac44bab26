/**
 * What is bundled for pages: `browser.ts`. The modules before it are those that the bundle begins with, for what is
 * alike and close together is compressed better.
 *
 * @module
 */

import "../src/transport/websocket.ts";
import "../src/link/connect.ts";
import "../src/scheduler/task.ts";
import "../src/scheduler/alarm.ts";
import "../src/node/node.ts";
import "../src/runtime.ts";

export * from "../browser.ts";
