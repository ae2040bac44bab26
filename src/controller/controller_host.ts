/**
 * A controller with all the ways in which nodes reach it.
 *
 * @module
 */

import { PortListener } from "../transport/message_port.ts";
import type { Address, Listening } from "../transport/transport.ts";
import type { WebPlace } from "../transport/places.ts";
import { WebListener } from "../transport/web_listener.ts";
import { Controller, type ControllerOptions } from "./controller.ts";

/** Runs a controller in this process. */
export class ControllerHost {
  /** The controller. */
  readonly controller: Controller;
  readonly #web: WebListener;
  readonly #ports = new PortListener();
  /** Until each of them listens, or cannot. */
  #starting: Promise<unknown> | undefined;

  /**
   * @param options What the controller needs.
   * @param place Where WebSockets are accepted.
   */
  constructor(options: ControllerOptions, place: WebPlace) {
    const controller = this.controller = new Controller(options);
    this.#web = new WebListener(place, ({ status, words }, remote) => {
      // Who just looks is told what this is; nobody has tried to join.
      if (status !== 426) controller.turnedAway(words, status === 401, remote);
    });
  }

  /**
   * Listens for nodes, by WebSocket and MessagePort too.
   *
   * @param sockets What else to listen on.
   * @returns The addresses as bound.
   * @throws {ConnectionError} when one of them cannot be listened on.
   * @throws {GlobalContextError} when this is stopped meanwhile.
   */
  async listen(sockets: readonly Listening[]): Promise<Address> {
    const all = [...sockets, this.#web, this.#ports];
    const listening = all.map((one) => this.controller.listen(one));
    this.#starting = Promise.allSettled(listening);
    return Object.assign({}, ...await Promise.all(listening));
  }

  /** Answers an HTTP request; see `Global.fetch`. */
  fetch(request: Request, info: unknown): Promise<Response> {
    return this.#web.fetch(request, info);
  }

  /** Lets whoever is at the other end of a port join; see `Global.attach`. */
  attach(port: unknown): void {
    this.#ports.attach(port);
  }

  /** Stops listening, sends what is queued, and closes all connections. Idempotent. */
  async stop(): Promise<void> {
    await this.controller.stop();
    await this.#starting; // what was about to listen has closed again
  }
}
