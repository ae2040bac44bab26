/**
 * As `instanceof`, for what a stranger's code threw: false if looking at it throws, as at a revoked proxy.
 */
export function isA<T>(
  value: unknown,
  Class: abstract new (...args: never[]) => T,
): value is T {
  try {
    return value instanceof Class;
  } catch {
    return false;
  }
}
