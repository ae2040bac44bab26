import { RawPeer } from "../e2e/raw_peer.ts";

/** Where a node connects to, to be told what a test likes. */
export class RawController implements AsyncDisposable {
  readonly #listener: Deno.TcpListener = Deno.listen({ hostname: "localhost", port: 0 });

  /** As options of a `Global`. */
  get address(): { host: string; port: number } {
    return { host: "localhost", port: this.#listener.addr.port };
  }

  /** The next connection of a node; nothing is sent yet. */
  async accept(): Promise<RawPeer> {
    return RawPeer.over(await this.#listener.accept());
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    return Promise.resolve();
  }
}
