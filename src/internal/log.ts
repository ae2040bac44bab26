/**
 * Where a `Global` tells what happened that no caller hears of.
 *
 * @module
 */

/** What a `Global` logs to; `console` is one. */
export interface Logger {
  /** Something was dropped or refused, or a connection was lost. */
  warn(message: string, ...details: unknown[]): void;
  /** Something failed that should not. */
  error(message: string, ...details: unknown[]): void;
}
