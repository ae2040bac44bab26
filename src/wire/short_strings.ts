/**
 * Short strings by hand: a call into the runtime costs more than a short string is worth.
 *
 * @module
 */

/** Strings of up to so many bytes are cheaper by hand, if they are ASCII. */
export const SHORT_STRING = 64;

const CACHED_KEYS = 512;

/** Strings from here on refer to the pieces that they are made of. */
export const LONG_STRING = 13;

/** Makes a string of the codes in bytes; `undefined` if it cannot. */
export type MakeString = (bytes: Uint8Array, at: number, end: number) => string | undefined;

let makeLong: MakeString | undefined;

/** Provides what makes longer strings, while `mod.ts` is loaded; a page does without. */
export function provideLongStrings(make: MakeString): void {
  makeLong = make;
}

/** Reads bytes as ASCII; `undefined` if they are not. */
export function readAscii(bytes: Uint8Array, at: number, end: number): string | undefined {
  let all = 0;
  for (let i = at; i < end; i++) all |= bytes[i]!;
  if (all >= 0x80) return undefined;
  if (end - at >= LONG_STRING && makeLong !== undefined) {
    const made = makeLong(bytes, at, end);
    if (made !== undefined) return made;
  }
  let text = "";
  for (; end - at >= 8; at += 8) {
    const a = bytes[at]!, b = bytes[at + 1]!, c = bytes[at + 2]!, d = bytes[at + 3]!;
    const e = bytes[at + 4]!, f = bytes[at + 5]!, g = bytes[at + 6]!, h = bytes[at + 7]!;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  for (; at < end; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

/** Writes a string as ASCII; false if it is not, and what was written means nothing then. */
export function writeAscii(text: string, bytes: Uint8Array, at: number): boolean {
  const length = text.length;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return false;
    bytes[at + i] = code;
  }
  return true;
}

/**
 * The keys that came before. Objects in a list have the same ones again and again, and comparing a
 * key costs less than making a string that is then looked up to be the same one.
 */
export class KeyCache {
  #keys: string[] = new Array(CACHED_KEYS).fill("");

  /** The key in these bytes, if it is here. */
  find(bytes: Uint8Array, at: number, size: number): string | undefined {
    const key = this
      .#keys[slot(size, bytes[at]!, bytes[at + (size >> 1)]!, bytes[at + size - 1]!)]!;
    if (key.length !== size) return undefined;
    for (let i = 0; i < size; i++) if (key.charCodeAt(i) !== bytes[at + i]) return undefined;
    return key;
  }

  /** Remembers a key of so many bytes in place of another one, if it is ASCII, and gives it back. */
  add(key: string, size: number): string {
    if (size === 0 || key.length !== size) return key;
    const at = slot(size, key.charCodeAt(0), key.charCodeAt(size >> 1), key.charCodeAt(size - 1));
    return this.#keys[at] = key;
  }
}

function slot(size: number, first: number, middle: number, last: number): number {
  return (size + first * 3 + middle * 31 + last * 17) & (CACHED_KEYS - 1);
}
