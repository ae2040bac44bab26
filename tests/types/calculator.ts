/**
 * A module as another process may have it.
 *
 * @module
 */

/** A plain function. */
export function add(a: number, b: number): number {
  return a + b;
}

/** An asynchronous one, with an optional argument. */
export function describe(name: string, _times?: number): Promise<string> {
  return Promise.resolve(name);
}

/** A generator. */
export function* count(to: number): Generator<number, string> {
  for (let n = 0; n < to; n++) yield n;
  return "done";
}

/** An asynchronous generator. */
export async function* lines(_path: string): AsyncGenerator<string> {
  yield await Promise.resolve("line");
}

/** One that takes an object and gives nothing. */
export function save(_user: { name: string; age?: number }): void {}

/** One that takes any number of arguments. */
export const sum = (...numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);

/** One that takes an iterable. */
export async function total(numbers: AsyncIterable<number>): Promise<number> {
  let sum = 0;
  for await (const n of numbers) sum += n;
  return sum;
}

/** A class with methods of every kind. */
export class Account {
  /** No method. */
  balance = 0;

  /** An instance method. */
  deposit(amount: number): number {
    return this.balance += amount;
  }

  /** A private one by its name. */
  _audit(): void {}

  /** A static method. */
  static async currency(): Promise<"EUR" | "USD"> {
    return await Promise.resolve("EUR" as const);
  }
}

/** A second class, with an inherited method. */
export class Savings extends Account {
  /** Its own. */
  interest(rate: number): number {
    return this.balance * rate;
  }
}

/** A private function by its name. */
export function _internal(): void {}

/** No function. */
export const version = "1.0";
