/** Whether this machine has an address, for tests that need another than 127.0.0.1. */
export function isListenable(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
