/** A TCP proxy that can cut the nodes off, with or without anybody noticing. */
export class CuttingProxy implements AsyncDisposable {
  readonly port: number;
  readonly #target: number;
  readonly #listener: Deno.TcpListener;
  readonly #ends = new Map<Deno.TcpConn, Deno.TcpConn>();
  readonly #running: Promise<void>[] = [];
  #frozen: PromiseWithResolvers<void> | undefined;

  /** @param targetPort Where the controller listens. */
  constructor(targetPort: number) {
    this.#target = targetPort;
    this.#listener = Deno.listen({ hostname: "localhost", port: 0 });
    this.port = this.#listener.addr.port;
    this.#running.push(this.#accept());
  }

  async #accept(): Promise<void> {
    try {
      for await (const near of this.#listener) {
        const far = await Deno.connect({ hostname: "localhost", port: this.#target });
        this.#ends.set(near, far);
        // The end of the controller is passed on, that of a node is not: see cut().
        this.#running.push(this.#pump(near, far), this.#pump(far, near).then(() => close(near)));
      }
    } catch {
      // The listener was closed.
    }
  }

  /** Breaks the connections of the nodes; those to the controller stay. */
  cut(): void {
    for (const near of this.#ends.keys()) close(near);
  }

  /** Carries nothing any more and breaks nothing, as when a cable is pulled. */
  freeze(): void {
    this.#frozen ??= Promise.withResolvers();
  }

  /** Goes on where it was. */
  thaw(): void {
    this.#frozen?.resolve();
    this.#frozen = undefined;
  }

  /** Breaks all connections, as when the machine of the nodes is gone. */
  cutBoth(): void {
    for (const [near, far] of this.#ends) {
      close(near);
      close(far);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cutBoth();
    this.thaw();
    await Promise.all(this.#running);
  }

  async #pump(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
        await this.#frozen?.promise;
        for (let at = 0; at < n;) at += await to.write(buffer.subarray(at, n));
      }
    } catch {
      // One of the ends was closed.
    }
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
