/**
 * Counters of a `Global`.
 *
 * @module
 */

/** What goes on now, and what was counted of things that no caller hears of, since the start. */
export interface GlobalStats {
  /** Calls from here that wait for a connection or for their answer, now; not those that wait for their `eta`. */
  readonly pendingCalls: number;
  /** Calls of others, and scheduled tasks, that run here or wait for their turn, now. */
  readonly runningCalls: number;
  /** Calls without answer that were not delivered, whether they left this node or could not be sent. */
  readonly droppedCalls: number;
  /** Calls whose callback failed here when nobody waited for the answer. */
  readonly failedCalls: number;
  /** Answers, and items of streams, that came after their call was over, or from processes that were not asked. */
  readonly lateAnswers: number;
  /** Frames that the Controller here has passed on. */
  readonly forwardedFrames: number;
  /** Frames that the Controller here has dropped, for their target was gone or takes none so large. */
  readonly droppedFrames: number;
  /** Connections that the Controller here has turned away, but not HTTP requests for anything but a WebSocket as it serves them. */
  readonly refusedConnections: number;
  /** Those of them that did not prove that they know the secret or a token, or that `authorize` refused. */
  readonly failedAuthentications: number;
  /** What `authorize` has denied: joins, and what joined processes wanted to do. */
  readonly deniedActions: number;
  /** Connections, of the node or of the Controller here, that ended without a goodbye. */
  readonly lostConnections: number;
  /** Connections that were turned away or ended because the other side broke the protocol. */
  readonly protocolErrors: number;
}
