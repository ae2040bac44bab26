/**
 * What is bundled for pages: `browser.ts`. The modules before it are those that the bundle begins with, for what is
 * alike and close together is compressed better.
 *
 * @module
 */

import "../src/wire/short_strings.ts";
import "../src/internal/concat.ts";
import "../src/result_iterator.ts";
import "../src/transport/websocket.ts";
import "../src/resolve_security.ts";
import "../src/node/stream_reader.ts";
import "../src/link/connect.ts";
import "../src/internal/call_site.ts";
import "../src/node/execute.ts";
import "../src/scheduler/task.ts";
import "../src/link/secret.ts";
import "../src/internal/call_request.ts";
import "../src/period_options.ts";
import "../src/scheduler/alarm.ts";
import "../src/link/spare_buffers.ts";
import "../src/node/pending_call.ts";
import "../src/node/node.ts";
import "../src/call_options.ts";
import "../src/runtime.ts";
import "../src/node/pending.ts";
import "../src/remote_call.ts";
import "../src/transport/node_net.ts";

export * from "../browser.ts";
