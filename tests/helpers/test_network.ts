/**
 * Several processes in one: a controller with a node, and nodes that join it.
 *
 * @module
 */

import {
  type CallbackFunction,
  CallbackRegistry,
  Global,
  type GlobalOptions,
  type UntypedCallbacks,
} from "../../mod.ts";
import { RecordingLogger } from "./recording_logger.ts";

/** Registers what a process offers. */
export type Offer = (callback: CallbackFunction) => void;

/** A network on a free TCP port of this machine. Stops whoever is left when it is disposed. */
export class TestNetwork implements AsyncDisposable {
  /** What all of them log. */
  readonly logger = new RecordingLogger();
  /** The process with the controller. */
  readonly hub: Global;
  readonly #others: Global[] = [];

  private constructor(offer: Offer, options: GlobalOptions) {
    this.hub = new Global({
      processName: "hub",
      initController: true,
      host: "localhost",
      callbacks: registry(offer),
      logger: this.logger,
      ...options,
    });
  }

  /** Starts the hub. */
  static async start(offer: Offer = () => {}, options: GlobalOptions = {}): Promise<TestNetwork> {
    const network = new TestNetwork(offer, options);
    await network.hub.ready;
    return network;
  }

  /** Makes a node without waiting for it. */
  add<Remote = UntypedCallbacks>(
    processName: string,
    offer: Offer = () => {},
    options: GlobalOptions = {},
  ): Global<Remote> {
    const g = new Global<Remote>({
      processName,
      host: "localhost",
      port: this.hub.port!,
      callbacks: registry(offer),
      logger: this.logger,
      ...options,
    });
    this.#others.push(g as Global);
    return g;
  }

  /** Adds a node, and waits until all know of each other. */
  async join<Remote = UntypedCallbacks>(
    processName: string,
    offer: Offer = () => {},
    options: GlobalOptions = {},
  ): Promise<Global<Remote>> {
    const g = this.add<Remote>(processName, offer, options);
    await g.ready;
    await Promise.all([
      this.hub.waitProcess(processName),
      ...this.#others.filter((other) => other !== g as Global)
        .map((other) => other.waitProcess(processName).catch(() => {})),
    ]);
    return g;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const drainTimeout = 50; // a test that failed may have left callbacks that never end
    await Promise.all(this.#others.map((g) => g.stop({ drainTimeout })));
    await this.hub.stop({ drainTimeout });
  }
}

/** A registry with what `offer` registers. */
export function registry(offer: Offer): CallbackRegistry {
  const callbacks = new CallbackRegistry();
  offer(callbacks.callback);
  return callbacks;
}
