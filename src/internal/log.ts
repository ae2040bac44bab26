/**
 * Where a `Global` tells what happened that no caller hears of.
 *
 * @module
 */

/** A logger that never throws, whatever the one behind it does: who logs has enough to do. */
export function safely(logger: Logger): Logger {
  const tell = (level: keyof Logger) => (message: string, ...details: unknown[]): void => {
    try {
      const told: unknown = logger[level](message, ...details);
      if (told instanceof Promise) told.catch(() => {});
    } catch {
      // There is nobody else to tell.
    }
  };
  return { warn: tell("warn"), error: tell("error") };
}

/** What a `Global` logs to; `console` is one. */
export interface Logger {
  /** Something was dropped or refused, or a connection was lost. */
  warn(message: string, ...details: unknown[]): void;
  /** Something failed that should not. */
  error(message: string, ...details: unknown[]): void;
}
