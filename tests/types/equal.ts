/** `true` if two types are the same, `any` only to `any`. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2)
  ? true
  : false;

/** Does not compile unless the type argument is `true`. */
export function assertType<_ extends true>(): void {}
