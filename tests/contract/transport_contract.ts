import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ByteStream } from "../../src/transport/transport.ts";

/** The two ends of one connection, and what is to be closed after them. */
export interface Pair {
  readonly ends: readonly [ByteStream, ByteStream];
  close(): void | Promise<void>;
}

/** What every {@linkcode ByteStream} must do, whichever transport made it. */
export function testByteStreams(transport: string, makePair: () => Promise<Pair>): void {
  function test(what: string, fn: (a: ByteStream, b: ByteStream) => Promise<void>): void {
    for (const from of ["one end", "the other end"]) {
      Deno.test(`ByteStream over ${transport} ${what}, seen from ${from}`, async () => {
        const pair = await makePair();
        const [one, other] = pair.ends;
        try {
          if (from === "one end") await fn(one, other);
          else await fn(other, one);
        } finally {
          for (const end of pair.ends) closeQuietly(end);
          await pair.close();
        }
      });
    }
  }

  for (const [size, readSize] of [[1, 1], [5, 100], [10_000, 7], [100_000, 4096], [3e6, 1e6]]) {
    test(`brings ${size} bytes in order in reads of up to ${readSize}, both ways`, async (a, b) => {
      const there = pattern(size!, 1);
      const back = pattern(size!, 2);
      const [, , read, readBack] = await Promise.all([
        writeAll(a, there),
        writeAll(b, back),
        readExactly(b, size!, readSize!),
        readExactly(a, size!, readSize!),
      ]);
      assertEquals(read, there);
      assertEquals(readBack, back);
    });
  }

  test("brings writes of many sizes in the order in which they were made", async (a, b) => {
    const pieces = Array.from({ length: 200 }, (_, i) => pattern((i * 37) % 500 + 1, i));
    const whole = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
    const writing = (async () => {
      for (const piece of pieces) await writeAll(a, piece);
    })();
    assertEquals(await readExactly(b, whole.length, 333), whole);
    await writing;
  });

  test("reads less than it has room for, and never more than it was given", async (a, b) => {
    const [, first] = await Promise.all([a.write(Uint8Array.of(1, 2, 3)), some(b, 100)]);
    assertEquals(first, [1, 2, 3].slice(0, first.length));
    const rest = first.length < 3 ? [...await readExactly(b, 3 - first.length, 1)] : [];
    assertEquals([...first, ...rest], [1, 2, 3]);
    const writing = writeAll(a, pattern(10, 0));
    const into = new Uint8Array(20);
    const count = await b.read(into.subarray(5, 9));
    assert(count !== null && count >= 1 && count <= 4);
    assertEquals([...into.subarray(0, 5), ...into.subarray(9)], Array(16).fill(0));
    await readExactly(b, 10 - count, 10);
    await writing;
  });

  test("writes no more than the other side takes, and the rest when it does", async (a, b) => {
    const size = 50_000_000; // more than any system buffers
    const writing = writeAll(a, new Uint8Array(size).fill(3));
    let total = 0;
    const into = new Uint8Array(1 << 20);
    while (total < size) {
      const count = await b.read(into);
      assert(count !== null && count >= 1);
      assertEquals(into.subarray(0, count).every((byte) => byte === 3), true);
      total += count;
    }
    await writing;
    assertEquals(total, size);
  });

  test("reads null when the other side has closed, after all that it wrote", async (a, b) => {
    const reading = readExactly(b, 5000, 100);
    await writeAll(a, pattern(5000, 4));
    a.close();
    assertEquals(await reading, pattern(5000, 4));
    assertEquals(await b.read(new Uint8Array(10)), null);
    assertEquals(await b.read(new Uint8Array(10)), null);
  });

  test("ends a pending read with null when the other side closes", async (a, b) => {
    const reading = b.read(new Uint8Array(10));
    a.close();
    assertEquals(await reading, null);
  });

  test("rejects its own pending read when it is closed", async (a) => {
    const reading = assertRejects(() => a.read(new Uint8Array(10)));
    a.close();
    await reading;
  });

  test("rejects its own pending write when it is closed", async (a) => {
    const writing = assertRejects(() => writeForever(a));
    a.close();
    await writing;
  });

  test("rejects a pending write when the other side closes", async (a, b) => {
    const writing = assertRejects(() => writeForever(a));
    b.close();
    await writing;
  });

  test("gives no bytes and takes none after it was closed", async (a, b) => {
    a.close();
    await assertRejects(() => writeForever(a));
    const outcome = await a.read(new Uint8Array(10)).catch(() => null);
    assertEquals(outcome, null);
    assertEquals(await b.read(new Uint8Array(10)), null);
  });

  test("may be closed again, also after the other side", (a, b) => {
    a.close();
    a.close();
    b.close();
    b.close();
    a.close();
    return Promise.resolve();
  });
}

/** What the test is about must not fail because cleaning up does. */
function closeQuietly(end: ByteStream): void {
  try {
    end.close();
  } catch {
    // It is closed, which another test asserts to be allowed.
  }
}

function pattern(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >>> 8) + seed) & 0xff);
}

async function writeAll(stream: ByteStream, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const count = await stream.write(bytes.subarray(at));
    assert(count >= 1 && count <= bytes.length - at, `write() took ${count}`);
    at += count;
  }
}

/** Ends only when writing fails, for nobody reads. */
async function writeForever(stream: ByteStream): Promise<never> {
  const bytes = new Uint8Array(1 << 20);
  for (;;) await stream.write(bytes);
}

async function some(stream: ByteStream, room: number): Promise<number[]> {
  const into = new Uint8Array(room);
  const count = await stream.read(into);
  assert(count !== null && count >= 1 && count <= room, `read() gave ${count}`);
  return [...into.subarray(0, count)];
}

async function readExactly(stream: ByteStream, size: number, most: number): Promise<Uint8Array> {
  const whole = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const room = whole.subarray(at, Math.min(at + most, size));
    const count = await stream.read(room);
    assert(count !== null && count >= 1 && count <= room.length, `read() gave ${count}`);
    at += count;
  }
  return whole;
}
