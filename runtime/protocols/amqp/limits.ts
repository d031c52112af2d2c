/** The largest frame that is taken, and announced as max-frame-size. A larger message comes in several. Bytes. */
export const MAX_FRAME_BYTES = 16 * 1024;
/** Of the frames before both sides have said how large theirs may be (section 2.8.1 of AMQP 1.0). Bytes. */
export const MIN_MAX_FRAME_BYTES = 512;
/** What a session's peer may have sent that nobody has taken yet; its incoming window follows from it. Bytes. */
export const SESSION_WINDOW_BYTES = 16 * 1024 * 1024;
/** The same for all sessions of a connection: they share it evenly. Bytes. */
export const CONNECTION_WINDOW_BYTES = 32 * 1024 * 1024;
/** Sessions of a connection, announced as channel-max. */
export const MAX_SESSIONS = 16;
/** Links of a session, announced as handle-max. */
export const MAX_LINKS = 4096;
/** Addresses of one hub; nobody may receive from a further one. What clients receive from is told to all routers. */
export const MAX_ADDRESSES = 20_000;
/** Of a link's name, and of an address. UTF-8 bytes. */
export const MAX_NAME_BYTES = 1024;
/** A delivery's tag (section 2.8.7 of AMQP 1.0). Bytes. */
export const MAX_TAG_BYTES = 32;
/** Where a message's properties have not ended within this, nobody looks further for whom it is. Bytes. */
export const MAX_SECTIONS_BYTES = 64 * 1024;
/** A client that has not opened its connection within this is cut off. Milliseconds. */
export const OPEN_WITHIN_MS = 10_000;
/** Announced as idle-time-out. A peer that is silent for twice as long is gone (section 2.4.5 of AMQP 1.0). Milliseconds. */
export const IDLE_TIMEOUT_MS = 15_000;
/** How long the answer to a close may take before the connection is cut. Milliseconds. */
export const CLOSE_WITHIN_MS = 2_000;
/** What may wait in a connection's socket before its links send no more. Bytes. */
export const SOCKET_HIGH_WATER_BYTES = 256 * 1024;

/** Messages of one sending client that are under way: its credit, less what has no outcome yet. */
export const SENDER_WINDOW = 1000;
/** A message up to this can be sent again when its receiver is lost. A larger one is given back to its sender. Bytes. */
export const MAX_KEPT_MESSAGE_BYTES = 1024 * 1024;
/** All that one hub keeps to be able to send it again. Beyond it, messages are given back to their senders instead. Bytes. */
export const MAX_KEPT_BYTES = 64 * 1024 * 1024;
/** Messages of clients that are gone, waiting for a receiver of one address. Further ones are dropped. Messages, and bytes. */
export const MAX_ORPHANS = 1000;
export const MAX_ORPHAN_BYTES = 16 * 1024 * 1024;

/** What may wait for one receiving client, of messages that were given to it. It is given no more meanwhile. Bytes. */
export const RECEIVER_BACKLOG_BYTES = 4 * 1024 * 1024;
/** What a part of a message costs besides its bytes, so that many small ones count as well. Bytes. */
export const PART_OVERHEAD_BYTES = 512;

/** What a subscriber of a multicast address may have waiting. Messages, and bytes. */
export const SUBSCRIBER_QUEUE_MESSAGES = 256;
export const SUBSCRIBER_QUEUE_BYTES = 4 * 1024 * 1024;
/** A subscriber with a full queue that takes less than half of it within this misses messages until it has. Milliseconds. */
export const SUBSCRIBER_PATIENCE_MS = 10_000;

/** One frame between hubs. Bytes. */
export const MAX_HUB_FRAME_BYTES = MAX_FRAME_BYTES + 1024;
/** Of one message that another hub sends, so much may come ahead of what its receiver has taken. Bytes. */
export const MESSAGE_WINDOW_BYTES = 1024 * 1024;
/** Of one stream between hubs, so much may be on its way, and wait at the other hub, without a receiver. Bytes. */
export const HUB_WINDOW_BYTES = 8 * 1024 * 1024;
/** To a hub of version 1: messages in several parts that are sent to it at a time, for one address. */
export const MAX_BEGUN = 16;
/** From a hub of version 1: all that may be waiting here of one stream; more than this breaks the protocol. Bytes. */
export const HUB_STREAM_MAX_BYTES = 64 * 1024 * 1024;
/** What may be waiting here of a multicast stream, which is not read further meanwhile. Bytes. */
export const MULTICAST_WINDOW_BYTES = 4 * 1024 * 1024;
/** A message to a multicast address begins to go out when so much of it is here, or all. Bytes. */
export const MULTICAST_GATHER_BYTES = 256 * 1024;
/** What was sent last to other routers' subscribers, and is sent once more when its stream is lost. Bytes, and messages. */
export const MULTICAST_TAIL_BYTES = 1024 * 1024;
export const MULTICAST_TAIL_MESSAGES = 1000;
/** How long after its last stream a hub's messages are still known. Milliseconds. */
export const MULTICAST_MEMORY_MS = 60_000;
/** A message that holds up others, and of which nothing more comes for so long, is given up. Milliseconds. */
export const MESSAGE_STALL_MS = 10_000;
/** Messages that another hub may have sent before any of them has an outcome. */
export const MAX_GRANT = 1000;
/** A stream to another hub that nobody needs is closed after this. Milliseconds. */
export const HUB_STREAM_IDLE_MS = 30_000;
/** How long after a stream to another hub was lost the next is tried. Milliseconds. */
export const HUB_STREAM_RETRY_MS = 500;
/** How long a client that drains its credit waits for a message that another hub has for it. Milliseconds. */
export const DRAIN_WITHIN_MS = 500;

/** How long after an AMQP server was lost it is tried again: at first, and at most. Milliseconds. */
export const SERVER_RETRY_MS = 500;
export const MAX_SERVER_RETRY_MS = 15_000;
