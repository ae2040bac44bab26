/**
 * A WebSocket as `docs/protocol.md` has it, written from that alone, with the methods of a socket.
 *
 * @module
 */

const WINDOW_BYTES = 4 * 1024 * 1024;
const MESSAGE_BYTES = 1024 * 1024;

/** What a raw peer reads from and writes to. */
export interface RawConnection extends Disposable {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/** Bytes in binary messages; credits in text messages. */
export class RawWebSocket implements RawConnection {
  /** How the other side closed it. */
  closed: CloseEvent | undefined;
  /** What breaks the rules is sent by this. */
  readonly socket: WebSocket;
  #chunks: Uint8Array[] = [];
  #underWay = 0;
  #untold = 0;
  #changed = Promise.withResolvers<void>();

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.#underWay -= Number(data);
      else this.#chunks.push(new Uint8Array(data));
      this.#wake();
    };
    socket.onclose = (event) => {
      this.closed = event;
      this.#wake();
    };
  }

  /** Connects. */
  static async connect(url: string, protocols: string[] = ["daffi"]): Promise<RawWebSocket> {
    const raw = new RawWebSocket(new WebSocket(url, protocols));
    await new Promise((resolve, reject) => {
      raw.socket.addEventListener("open", resolve);
      raw.socket.addEventListener("close", () => reject(new Error("cannot connect")));
    });
    return raw;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.closed !== undefined) return null;
      await this.#changed.promise;
    }
    const chunk = this.#chunks.shift()!;
    const count = Math.min(chunk.length, into.length);
    into.set(chunk.subarray(0, count));
    if (count < chunk.length) this.#chunks.unshift(chunk.subarray(count));
    this.#untold += count;
    if (this.#untold >= WINDOW_BYTES / 2 && this.closed === undefined) {
      this.socket.send(String(this.#untold));
      this.#untold = 0;
    }
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    while (this.#underWay >= WINDOW_BYTES && this.closed === undefined) {
      await this.#changed.promise;
    }
    if (this.closed !== undefined) throw new Error("the connection is over");
    const count = Math.min(bytes.length, MESSAGE_BYTES, WINDOW_BYTES - this.#underWay);
    this.#underWay += count;
    this.socket.send(bytes.slice(0, count));
    return count;
  }

  /** Waits until the other side has closed it. */
  async over(): Promise<CloseEvent> {
    while (this.closed === undefined) await this.#changed.promise;
    return this.closed;
  }

  close(): void {
    this.socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
