/**
 * Whether a host is this machine itself.
 *
 * @module
 */

/** Whether only processes of this machine reach this host. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || /^127(\.\d{1,3}){3}$/.test(host) || host === "::1" ||
    host === "[::1]";
}
