/**
 * `Global` with all of its parts.
 *
 * @module
 */

import { FullRuntime } from "./full_runtime.ts";
import { Global } from "./global.ts";
import { CalmLogger } from "./internal/calm_logger.ts";
import { lookAtInput } from "./internal/look_at_input.ts";
import { nearest } from "./internal/nearest.ts";
import { provideLook } from "./internal/next_turn.ts";
import { provideNearest } from "./internal/suggestion.ts";
import { TaskService } from "./node/task_service.ts";
import { TransferService } from "./node/transfer_service.ts";
import { provideParts } from "./parts.ts";
import { provideInspection } from "./remote_call.ts";
import { resolveAddress, resolveWeb } from "./resolve_address.ts";
import { resolveSecurity } from "./resolve_security.ts";
import { compileCron } from "./scheduler/cron.ts";
import { checkTaskStore, openTaskStore } from "./scheduler/open_task_store.ts";
import { RememberingTaskStore } from "./scheduler/remembering_task_store.ts";
import { resolveTransfer } from "./transfer/resolve_transfer.ts";
import { sourceOf } from "./transfer/function_source.ts";
import { TransferRunner } from "./transfer/transfer_runner.ts";
import { piecesOf } from "./transport/pieces.ts";
import { providePieces } from "./transport/websocket.ts";
import { largePayloads, largePayloadsOverUnix } from "./wire/large_payloads.ts";
import { provideKindNames } from "./wire/kind_name.ts";
import { KIND_NAMES } from "./wire/kind_names.ts";
import { provideLongStrings } from "./wire/short_strings.ts";
import { stringAtOnce } from "./wire/strings_at_once.ts";

provideParts({
  resolveEntrance(options) {
    checkTaskStore(options.taskStore);
    resolveTransfer(options.transfer); // also where no node runs
    const address = resolveAddress(options);
    const web = resolveWeb(options.web);
    return { address, web, security: resolveSecurity(options, address, web) };
  },
  makeRuntime: (...all) => new FullRuntime(...all),
  makeTasks(taskStore) {
    const store = new RememberingTaskStore(openTaskStore(taskStore));
    return (node) => new TaskService({ ...node, store, compileCron });
  },
  makeTransfers: (transfer, ...rest) =>
    new TransferService(new TransferRunner(resolveTransfer(transfer), ...rest)),
  sourceOf,
  calm: (logger) => new CalmLogger(logger),
  large: (address) => address?.kind === "unix" ? largePayloadsOverUnix : largePayloads,
  compileCron,
});

provideInspection("Deno.customInspect", "nodejs.util.inspect.custom");
provideLook(lookAtInput);
provideNearest(nearest);
providePieces(piecesOf);
provideLongStrings(stringAtOnce);
provideKindNames(KIND_NAMES);

export { Global };
