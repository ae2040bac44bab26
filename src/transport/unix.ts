/**
 * UNIX sockets through `Deno.listen` and `Deno.connect`.
 *
 * @module
 */

import { ConnectionError } from "../errors.ts";
import {
  acceptFrom,
  type Address,
  type ByteStream,
  type Listener,
  type OnTrouble,
  type Transport,
} from "./transport.ts";
import { UnixStream } from "./unix_stream.ts";

/** Name of the socket in its directory. */
const SOCKET_NAME = ".sock";

/** The longest path that every supported system takes for a socket (macOS: 104 with the NUL). */
const MAX_SOCKET_PATH_BYTES = 103;

/** The path of the socket in a directory. */
export function socketPath(directory: string): string {
  return `${directory.replace(/[/\\]+$/, "")}/${SOCKET_NAME}`;
}

/**
 * Makes the transport for the socket in `directory`.
 *
 * @param directory Where the socket lives.
 * @param shared Whether the directory may be one that others use too. If not, it is made private
 * even if it exists.
 */
export function unixTransport(directory: string, shared: boolean): Transport {
  const path = socketPath(directory);
  return {
    description: path,
    async listen(onTrouble?: OnTrouble): Promise<Listener> {
      checkPath(path);
      try {
        await prepareDirectory(directory, shared);
        return await lockedWhile(`${path}.lock`, () => bind(path, shared, onTrouble));
      } catch (error) {
        if (error instanceof ConnectionError) throw error;
        throw new ConnectionError(`Cannot listen on ${path}: ${why(error)}`, { cause: error });
      }
    },
    async connect(): Promise<{ stream: ByteStream; address: Address }> {
      checkPath(path);
      try {
        if (!shared) await checkPrivate(directory);
        const socket = await Deno.connect({ transport: "unix", path });
        return { stream: new UnixStream(socket), address: { socketPath: path } };
      } catch (error) {
        const message = `Cannot connect to the controller at ${path}: ${why(error)}`;
        throw new ConnectionError(message, { cause: error });
      }
    },
  };
}

function why(error: unknown): string {
  const { message } = error as Error;
  if (!(error instanceof Deno.errors.PermissionDenied)) return message;
  return `${message}: the directory may be another user's; give a unixSockPath of your own`;
}

function checkPath(path: string): void {
  if (Deno.build.os === "windows") {
    throw new ConnectionError("Cannot use a UNIX socket on Windows: give host and port instead");
  }
  const bytes = new TextEncoder().encode(path).length;
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    throw new ConnectionError(
      `Cannot use the socket ${path}: its path has ${bytes} bytes, at most ${MAX_SOCKET_PATH_BYTES} ` +
        "are possible; give a shorter unixSockPath",
    );
  }
}

async function prepareDirectory(directory: string, shared: boolean): Promise<void> {
  let created = false;
  try {
    // Among the temporary files, anybody can make a link of this name to a directory of ours.
    const { isDirectory } = await (shared ? Deno.stat(directory) : Deno.lstat(directory));
    if (!isDirectory) throw new Error(`${directory} is a link, or no directory`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    created = true;
  }
  // In a directory that others may write to, somebody else could put a socket in our place.
  if (created || !shared) await Deno.chmod(directory, 0o700);
}

/**
 * Among the temporary files, anybody can make a directory of the name that is expected there. Who can reach one
 * that only its owner can is its owner, or root.
 */
async function checkPrivate(directory: string): Promise<void> {
  const { mode, uid } = await Deno.lstat(directory);
  checkOwner(uid, ownUid());
  if (mode === null || (mode & 0o077) === 0) return;
  throw new Error(
    "others than its owner can reach its directory; give unixSockPath if that is right",
  );
}

/** Who may go anywhere must not go where another user listens, or could put a socket in the place of ours. */
function checkOwner(uid: number | null, own: number | null): void {
  if (uid === null || own === null || uid === own) return;
  throw new Error("its directory is another user's; give a unixSockPath of your own");
}

/** The user of this process, as far as it may know. */
function ownUid(): number | null {
  try {
    const { state } = Deno.permissions.querySync({ name: "sys", kind: "uid" });
    return state === "granted" ? Deno.uid() : Deno.statSync("/proc/self").uid;
  } catch {
    return null;
  }
}

/**
 * Two controllers that start at once would both find a stale socket, and the slower would remove
 * the faster one's new socket. Looking, removing and binding therefore happen under a file lock,
 * which the system releases even if its holder is killed.
 */
async function lockedWhile<T>(path: string, work: () => Promise<T>): Promise<T> {
  const file = await Deno.open(path, { create: true, write: true, mode: 0o600 });
  try {
    await file.lock(true);
    return await work();
  } finally {
    file.close();
  }
}

/**
 * The socket is made under another name and then moved, so it is never open to others than its
 * owner, takes the place of a stale one at once, and is not what the runtime removes when it closes
 * its listener: by then a successor may have put its own there.
 */
async function bind(
  path: string,
  shared: boolean,
  onTrouble: OnTrouble | undefined,
): Promise<Listener> {
  if (await exists(path) && await answers(path)) {
    throw new ConnectionError(`Cannot listen on ${path}: another controller does already`);
  }
  const directory = path.slice(0, -SOCKET_NAME.length);
  const ownPath = directory + randomName();
  const listener = Deno.listen({ transport: "unix", path: ownPath });
  try {
    await Deno.chmod(ownPath, 0o600);
    const { ino, uid } = await Deno.lstat(ownPath);
    if (!shared) checkOwner((await Deno.lstat(directory)).uid, uid);
    await Deno.rename(ownPath, path);
    return new UnixListener(listener, path, ino, onTrouble);
  } catch (error) {
    listener.close(); // which removes the socket
    throw error;
  }
}

/** As long as the socket's own name: there is a limit to the whole path. */
function randomName(): string {
  const [number] = crypto.getRandomValues(new Uint32Array(1));
  return `.${(number! % 36 ** 3).toString(36).padStart(3, "0")}_`;
}

async function exists(path: string): Promise<boolean> {
  try {
    const info = await Deno.lstat(path);
    if (info.isSocket) return true;
    throw new ConnectionError(`Cannot listen on ${path}: something that is not a socket is there`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function answers(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

class UnixListener implements Listener {
  readonly address: Address;
  #listener: Deno.UnixListener;
  #inode: number | null;
  #onTrouble: OnTrouble | undefined;
  #closed = false;

  constructor(
    listener: Deno.UnixListener,
    path: string,
    inode: number | null,
    onTrouble: OnTrouble | undefined,
  ) {
    this.#listener = listener;
    this.#inode = inode;
    this.#onTrouble = onTrouble;
    this.address = { socketPath: path };
  }

  async accept(): Promise<ByteStream | null> {
    const socket = await acceptFrom(this.#listener, () => this.#closed, this.#onTrouble);
    return socket && new UnixStream(socket);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const path = this.address.socketPath!;
    try {
      // Only the own socket; before it is closed, for until then no other one has its inode.
      if (Deno.lstatSync(path).ino === this.#inode) Deno.removeSync(path);
    } catch {
      // It is gone already.
    }
    this.#listener.close();
  }
}
