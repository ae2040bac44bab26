/**
 * Keys of objects as they travelled last.
 *
 * @module
 */

const MAX_DEPTH = 8;
const MAX_PLACES = 64;
const MAX_KEY_BYTES = 40;
/** After so many keys that were not where they were before, the objects seem to differ … */
const MAX_MISSES = 256;
/** … and only one row of so many is remembered. */
const MISSES_BETWEEN = 16 * MAX_MISSES;

/**
 * The keys of objects that are alike, by their place in the object. Objects in a list have the same
 * keys in the same places, again and again: comparing a key costs less than making it anew.
 */
export class KeyPlaces {
  /** Keys by place. */
  readonly texts: string[] = [];
  /** The same as bytes of MessagePack. */
  readonly bytes: Uint8Array[] = [];
  #misses = 0;

  /** The key in this place, if it is what lies in the bytes. */
  find(place: number, bytes: Uint8Array, at: number, end: number): string | undefined {
    const known = this.bytes[place];
    if (known === undefined || known.length > end - at) return undefined;
    for (let i = 0; i < known.length; i++) if (known[i] !== bytes[at + i]) return undefined;
    return this.texts[place];
  }

  /** Remembers a key that lies in the bytes. */
  set(place: number, text: string, bytes: Uint8Array, at: number, end: number): void {
    if (place >= MAX_PLACES || end - at > MAX_KEY_BYTES || place > this.texts.length) return;
    if (++this.#misses > MAX_MISSES) {
      if (this.#misses < MISSES_BETWEEN) return;
      this.#misses = 0;
    }
    this.texts[place] = text;
    this.bytes[place] = bytes.slice(at, end);
  }
}

/** Keys by the depth of the objects that they are in; below some depth nothing is remembered. */
export class KnownKeys {
  #byDepth: KeyPlaces[] = Array.from({ length: MAX_DEPTH + 1 }, () => new KeyPlaces());

  /** The places at a depth. */
  at(depth: number): KeyPlaces {
    return this.#byDepth[Math.min(depth, MAX_DEPTH)]!;
  }
}
