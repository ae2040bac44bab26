/**
 * The caps of the protocol, and of what waits in memory, in one place: name, default, and what goes
 * wrong without it. Those that concern one part alone are beside its code.
 *
 * @module
 */

const KiB = 1024;
const MiB = 1024 * KiB;

/** Size of the fixed frame header, its length field included. */
export const HEADER_BYTES = 24;

/** Default largest frame. Stops a declared length from taking the receiver's memory. */
export const DEFAULT_MAX_FRAME_BYTES: number = 64 * MiB;

/** Smallest `maxFrameBytes` that can be configured: what tells of an error must fit. */
export const MIN_MAX_FRAME_BYTES: number = 64 * KiB;

/** Largest `maxFrameBytes` that can be configured: one value must not take all of the memory. */
export const MAX_MAX_FRAME_BYTES: number = 1024 * MiB;

/** Largest control frame that a node may send. Stops strangers from filling memory by `HELLO`. */
export const MAX_CONTROL_BYTES: number = 2 * MiB;

/** Longest process or callback name in UTF-8 bytes. Stops names from bloating the directory. */
export const MAX_NAME_BYTES = 256;

/** Most callbacks that one node may offer. Stops one node from bloating every directory. */
export const MAX_CALLBACKS_PER_NODE = 4096;

/**
 * Withdrawn callbacks of which the names are still known: by each node those of its own, and by the Controller
 * those of all, up to twice as many. Stops whoever offers and withdraws without end from filling the memory.
 */
export const MAX_WITHDRAWN: number = MAX_CALLBACKS_PER_NODE;

/**
 * Largest directory, as `WELCOME` carries it. Stops nodes from growing what every node has a copy of,
 * until no other could join.
 */
export const MAX_DIRECTORY_BYTES: number = 16 * MiB;

/** Most processes at one controller. Stops connection floods from exhausting memory. */
export const MAX_NODES = 16_384;

/** Time that a new connection has to finish its handshake. Stops connections that say nothing. */
export const HANDSHAKE_TIMEOUT_MS = 5_000;

/** The same for whoever is at the other end of a port: a worker that has to load its program first, and no stranger. */
export const PORT_HANDSHAKE_TIMEOUT_MS = 60_000;

/** Time that a controller has to take a connection. Stops a host that is cut off from being waited for. */
export const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Time that a node gives its controller to answer. More than the controller gives: when all nodes come
 * back at once, giving up and asking again would make it worse.
 */
export const JOIN_TIMEOUT_MS = 20_000;

/** Time that a node which leaves has for its last answers, at least, and then for the controller's goodbye. */
export const LEAVE_TIMEOUT_MS = 1_000;

/** Longest token in UTF-16 units. It travels in a header, for which servers have little room. */
export const MAX_TOKEN_LENGTH = 4_096;

/** Size of the nonces and proofs of authentication. Too large to be guessed or to come twice. */
export const PROOF_BYTES = 32;

/** Delay of an address's next handshakes after a wrong proof. Stops trying out of secrets. */
export const MIN_PROOF_DELAY_MS = 100;

/** Highest of these delays, which double: the rest of the handshake needs its time too. */
export const MAX_PROOF_DELAY_MS = 2_000;

/** After this time an address's wrong proofs are forgotten: it may be somebody else's by then. */
export const FORGET_PROOFS_AFTER_MS: number = 10 * 60_000;

/** Most addresses whose wrong proofs are remembered. Stops addresses from filling memory. */
export const MAX_DELAYED_ADDRESSES = 4_096;

/**
 * Most handshakes at a time of an address that has sent wrong proofs. Stops it from trying many
 * secrets within one delay, and from taking all of `MAX_HANDSHAKES` by waiting.
 */
export const MAX_DELAYED_HANDSHAKES = 64;

/** Most connections in the handshake at a time. Stops floods of half-open handshakes. */
export const MAX_HANDSHAKES = 1_024;

/** Time that `authorize` has to decide. Stops a decision that never comes from holding a process up. */
export const AUTHORIZE_TIMEOUT_MS = 4_000;

/** Most decisions remembered for one process. Stops calls of ever other callbacks from filling memory. */
export const MAX_VERDICTS_PER_NODE = 65_536;

/**
 * Deepest nesting of a value. Stops payloads that overflow the stack of whoever decodes them,
 * and turns circular values into an error at the sender.
 */
export const MAX_DEPTH = 128;

/**
 * Most lists, objects, arrays of bytes and extension values in one payload; URLs, errors and the like count as sixteen,
 * and RegExps as more.
 * A byte can stand for an object of fifty, so without this a frame would fill all memory.
 */
export const MAX_COMPOUND_VALUES: number = 4 * 1024 * 1024;

/** Largest `bigint`. Stops numbers that take seconds to read. */
export const MAX_BIGINT_BYTES: number = 64 * KiB;

/**
 * Longest source of a `RegExp`, in UTF-16 units, with 64 more for each `\p` in it and 512 for each `RGI`. Stops sources that take
 * memory and time by the square of their length: one of this length has been seen to take some 200 MiB for a moment.
 */
export const MAX_REGEXP_LENGTH = 4_096;

/** Payloads from this size on that have not come as a whole are received into a buffer made for them. */
export const LARGE_PAYLOAD_BYTES: number = 128 * KiB;

/** Payloads from this size on travel in parts, so that they leave the controller before they are there. */
export const MIN_DIVIDED_BYTES: number = 128 * KiB;

/** Largest part of a payload. Stops large payloads from holding up what others send to the same node. */
export const MAX_PART_BYTES: number = 128 * KiB - HEADER_BYTES;

/** Arrays of bytes from this size on are copied straight from the sender's value to the receiver's. */
export const MIN_ATTACHMENT_BYTES: number = 128 * KiB;

/** Most of them in one payload. Stops announcements that are larger than what they announce. */
export const MAX_ATTACHMENTS = 64;

/**
 * Memory in a node for payloads of which some parts are still missing. Stops peers from filling it with
 * payloads that they begin and do not finish.
 */
export const MAX_UNFINISHED_BYTES: number = 1024 * MiB;

/**
 * Bytes waiting for one connection from which on its senders are asked to pause. Stops a slow
 * reader from growing the controller.
 */
export const PAUSE_AT_BYTES: number = 8 * MiB;

/** Bytes waiting for one connection at which paused senders may go on. */
export const RESUME_AT_BYTES: number = 2 * MiB;

/** So much waiting for one connection is not counted among what waits for all together: it comes and goes. */
export const MIN_COUNTED_BYTES: number = 64 * KiB;

/**
 * Bytes waiting for one connection at which the controller stops reading from whoever goes on sending to
 * it. Stops senders that do not obey a pause.
 */
export const MAX_QUEUED_BYTES: number = 64 * MiB;

/**
 * What a node may have sent to another one before it was told to pause: what its own queue and the sockets hold.
 * One frame of the largest size comes on top of that, for it is queued as a whole. Stops a node that does not read
 * from having others held back who only answer it.
 */
export const MAX_UNDER_WAY_BYTES: number = 16 * MiB;

/**
 * Bytes waiting for all connections together at which it does so too. Stops such a sender from filling the
 * memory by way of many nodes that do not read.
 */
export const HOLD_AT_BYTES: number = 768 * MiB;

/**
 * Bytes waiting for all connections together at which some are closed, first those for which most waits. Stops many
 * senders, each of which may have sent that much before it was told to pause, and many nodes for each of which a little
 * waits, from filling the memory.
 */
export const MAX_ALL_QUEUED_BYTES: number = 1024 * MiB;

/**
 * How many heartbeat timeouts a node may go on sending, but take nothing of what it is sent. Stops
 * nodes that never read from filling their queue for ever, and is long enough for the slowest link.
 */
export const STALLED_TIMEOUTS = 4;

/**
 * Payloads of calls that may wait in a node for slow processes; as much again for its connection; and, of
 * each callback with `concurrency`, and of functions that others send, as much again and one more for its turn.
 * Stops endless local queues.
 */
export const MAX_WAITING_BYTES: number = 256 * MiB;

/**
 * Bytes of `WELCOME` that may wait in a controller. Who joins and does not read costs it little else, so
 * that many of them would fill its memory.
 */
export const MAX_UNREAD_WELCOME_BYTES: number = 256 * MiB;

/** Calls that may wait in a node for its connection. Stops endless local queues. */
export const MAX_WAITING_CALLS = 100_000;

/** Calls that may run on one node. Stops callers together from exhausting a callee. */
export const MAX_RUNNING_CALLS = 1_000_000;

/** Calls of one caller that may run on one node. Stops it from taking the room of all others. */
export const MAX_RUNNING_CALLS_PER_CALLER = 250_000;

/** Credits of a stream at first: items that may be under way, each larger one counting for several. */
export const STREAM_WINDOW = 256;

/**
 * Credits of a stream whose reader has taken all that came each time it grants more. Stops a fast
 * reader from having more sent than it can hold, and one that grants far more from keeping the producer busy.
 */
export const MAX_STREAM_WINDOW = 2_048;

/** Every whole unit of this size costs a stream item one credit, besides the one that each costs. */
export const STREAM_CREDIT_BYTES: number = 4 * KiB;

/**
 * Streams that one call may carry as arguments. Stops payloads that name a stream in every four
 * bytes, each of which costs the callee a queue.
 */
export const MAX_STREAMS_PER_CALL = 1_024;

/**
 * Largest message on a WebSocket or a MessagePort; a write that is larger travels in several. Stops
 * messages that take the receiver's memory before one byte of them is read.
 */
export const MAX_MESSAGE_BYTES: number = 1 * MiB;

/**
 * Bytes that one side of a WebSocket or a MessagePort may have sent and the other has not yet taken.
 * Neither can be asked to stop receiving: stops a sender from piling messages up there.
 */
export const MESSAGE_WINDOW_BYTES: number = 4 * MiB;

/**
 * Time that a WebSocket which is closed has for what is still to be sent, and for the goodbye of the other
 * side. Stops one that says nothing from keeping a socket.
 */
export const CLOSE_TIMEOUT_MS = 2_000;
