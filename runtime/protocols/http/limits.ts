/** Of a request's first line. Bytes. */
export const MAX_REQUEST_LINE_BYTES = 8 * 1024;
/** Of a head: its first line and its fields. Bytes. */
export const MAX_HEAD_BYTES = 32 * 1024;
/** Fields of one head. */
export const MAX_FIELDS = 200;
/** Of the line that starts a chunk, with its extensions. Bytes. */
export const MAX_CHUNK_LINE_BYTES = 1024;
/** Of the fields behind a chunked body. Bytes. */
export const MAX_TRAILER_BYTES = 8 * 1024;
/** What of a request's body is kept, until an answer begins, to send it again. Bytes. */
export const MAX_REPLAY_BYTES = 64 * 1024;
/** How often a request that was lost on its way is sent again: one that crashes servers must not meet them all. */
export const MAX_REPEATS = 2;
/** A head must be complete this long after its first byte. Milliseconds. */
export const HEAD_WITHIN_MS = 30_000;
/**
 * A request is given up where its client has to go on, with a body that is not whole or by reading its answer, and nothing moves for so long.
 * Milliseconds.
 */
export const STALLED_MS = 5 * 60_000;
/** A client's connection without a request is closed after this. Milliseconds. */
export const CLIENT_IDLE_MS = 120_000;
/** How long a client whose connection is being closed may still send what nobody reads: it learns of the answer first. Milliseconds. */
export const LINGER_MS = 2000;
/** A connection to a server without a request is closed after this. Milliseconds. */
export const SERVER_IDLE_MS = 30_000;
/**
 * A connection to a server is not kept once it is so old: the way to the server may have changed, its port or its TLS, and under load it would
 * never be idle. Milliseconds.
 */
export const SERVER_AGE_MS = 5 * 60_000;
/**
 * A request that must not be sent twice takes no connection that was idle for longer than this: the server may just be closing it.
 * Milliseconds.
 */
export const FRESH_WITHIN_MS = 2000;
/** Idle connections that are kept to one server. */
export const MAX_IDLE_PER_SERVER = 256;
/** Idle connections that a listener keeps. */
export const MAX_IDLE_CONNECTIONS = 1024;
/** Of a request that goes to all servers. Bytes. */
export const MAX_FAN_OUT_REQUEST_BYTES = 1024 * 1024;
/** Of one server's answer to it. Bytes. */
export const MAX_FAN_OUT_ANSWER_BYTES = 8 * 1024 * 1024;
/** Of all answers to such requests that a listener gathers, or has not passed on. Bytes. */
export const MAX_FAN_OUT_BYTES = 64 * 1024 * 1024;
/** A server that has not answered such a request by then has failed. Milliseconds. */
export const FAN_OUT_WITHIN_MS = 30_000;
/** Of a request that others get a copy of. Bytes. */
export const MAX_COPY_BYTES = 1024 * 1024;
/** Copies that a listener has under way. */
export const MAX_COPIES = 64;

export interface HttpLimits {
  requestLineBytes: number;
  headBytes: number;
  fields: number;
  chunkLineBytes: number;
  trailerBytes: number;
  replayBytes: number;
  repeats: number;
  headWithinMs: number;
  stalledMs: number;
  clientIdleMs: number;
  lingerMs: number;
  serverIdleMs: number;
  serverAgeMs: number;
  freshWithinMs: number;
  idlePerServer: number;
  idleConnections: number;
  fanOutRequestBytes: number;
  fanOutAnswerBytes: number;
  fanOutBytes: number;
  fanOutWithinMs: number;
  copyBytes: number;
  copies: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  requestLineBytes: MAX_REQUEST_LINE_BYTES,
  headBytes: MAX_HEAD_BYTES,
  fields: MAX_FIELDS,
  chunkLineBytes: MAX_CHUNK_LINE_BYTES,
  trailerBytes: MAX_TRAILER_BYTES,
  replayBytes: MAX_REPLAY_BYTES,
  repeats: MAX_REPEATS,
  headWithinMs: HEAD_WITHIN_MS,
  stalledMs: STALLED_MS,
  clientIdleMs: CLIENT_IDLE_MS,
  lingerMs: LINGER_MS,
  serverIdleMs: SERVER_IDLE_MS,
  serverAgeMs: SERVER_AGE_MS,
  freshWithinMs: FRESH_WITHIN_MS,
  idlePerServer: MAX_IDLE_PER_SERVER,
  idleConnections: MAX_IDLE_CONNECTIONS,
  fanOutRequestBytes: MAX_FAN_OUT_REQUEST_BYTES,
  fanOutAnswerBytes: MAX_FAN_OUT_ANSWER_BYTES,
  fanOutBytes: MAX_FAN_OUT_BYTES,
  fanOutWithinMs: FAN_OUT_WITHIN_MS,
  copyBytes: MAX_COPY_BYTES,
  copies: MAX_COPIES,
};
