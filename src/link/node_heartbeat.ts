/**
 * Notices that a node is gone.
 *
 * @module
 */

import { STALLED_TIMEOUTS } from "../wire/limits.ts";
import { Heartbeat, type Watched } from "./heartbeat.ts";

/**
 * Watches connections to nodes, which read at all times: one that takes nothing is lost, too. A controller may stop
 * for as long as a third process is slow.
 */
export class NodeHeartbeat extends Heartbeat {
  protected override whyLost(watched: Watched, late: boolean): string | undefined {
    const silent = super.whyLost(watched, late);
    if (silent !== undefined || watched.connection.queuedBytes === 0) return silent;
    const stalledTicks = this.lostTicks * STALLED_TIMEOUTS;
    if (!this.isOver(watched.quietTicks, stalledTicks, late)) return undefined;
    const stalledMs = this.policy.timeoutMs * STALLED_TIMEOUTS;
    return `it has taken nothing of what was sent for ${stalledMs} ms`;
  }
}
