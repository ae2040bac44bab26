// `async/mod.js` of the npm package does not load (its `channel.js` names a missing file), so each
// function comes from its own file.
export { abortable } from "./abortable.ts";
export { deadline, type DeadlineOptions } from "./deadline.ts";
export { debounce, type DebouncedFunction, type DebounceOptions } from "./debounce.ts";
export { delay, type DelayOptions } from "./delay.ts";
export { MuxAsyncIterator } from "./mux_async_iterator.ts";
export { pooledMap } from "./pool.ts";
export { retry, RetryError, type RetryOptions } from "./retry.ts";
export { tee } from "./tee.ts";
