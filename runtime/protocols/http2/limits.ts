import { DEFAULT_LIMITS as HTTP1_LIMITS, type HttpLimits } from '../http/limits.ts';

/** What one listener lets clients and servers do. Times are milliseconds. */
export interface Limits {
  /** A client that has not said by then which protocol it speaks is let go. */
  firstBytesWithinMs: number;
  /** A client without a request for so long is told to go (GOAWAY); in HTTP/1.1 its connection is ended. */
  clientIdleMs: number;
  /** How often a client is asked whether it is there (PING), and how long it may take to answer. */
  clientProbeEveryMs: number;
  clientProbeWithinMs: number;
  /** Requests of one client connection at a time (SETTINGS_MAX_CONCURRENT_STREAMS). */
  streamsPerClient: number;
  /** What one request of a client may send ahead of its server, in bytes (SETTINGS_INITIAL_WINDOW_SIZE). */
  clientWindowBytes: number;
  /** Header fields of one request or response: their number, and their size in bytes (SETTINGS_MAX_HEADER_LIST_SIZE). */
  headerFields: number;
  headerBytes: number;
  /**
   * Requests that a client may take back: so many at once, and then so many a second (CVE-2023-44487). Those that are reset since they are
   * malformed count, too (CVE-2025-8671).
   */
  resetBurst: number;
  resetsPerSecond: number;
  /** Frames of a client that are against the protocol, empty DATA frames among them; and requests that were not taken. */
  invalidFrames: number;
  rejectedStreams: number;
  /** Of a client, in any one second. gRPC clients measure the way with a PING a round trip. */
  pingsPerSecond: number;
  settingsPerSecond: number;

  /** Connections to one server, and requests on each at a time where the server allows as many. One client has half of all places at most. */
  sessionsPerServer: number;
  streamsPerServerSession: number;
  /** Requests that wait for a place at one server, whatever it speaks, and how long. */
  waitingPerServer: number;
  waitForServerMs: number;
  /** A server that has not answered the connection preface by then is passed over. */
  settingsWithinMs: number;
  /** A connection to a server is closed after so long without a request. */
  serverIdleMs: number;
  /** One that is so old takes no further requests, and ends with the last it has: the way to the server may have changed, its port or its TLS. */
  serverAgeMs: number;
  /**
   * How often a server with requests under way is asked whether it is there, and how long it may take to answer. gRPC servers cut off
   * whoever asks more often than every 5 minutes (gRFC A8).
   */
  serverProbeEveryMs: number;
  serverProbeWithinMs: number;
  /** What a server may send ahead of its client in one response to begin with, in bytes (SETTINGS_INITIAL_WINDOW_SIZE). */
  serverWindowBytes: number;
  /** What the windows of the responses to one client connection may grow by, together, where the way to a server is long. Bytes. */
  windowGrowthBytes: number;
  /**
   * What waits in all of the listener for clients and servers that do not read, bodies of responses and of requests, in bytes. Beyond it the client
   * that has most loses some.
   */
  heldBytes: number;
  /**
   * A response of which something waits, and its client takes nothing for so long, is reset; so is a request that its server does not end
   * for so long, though its client has all of the response. One that has no response is answered with 408 where nothing comes of its body for
   * so long; one of gRPC is not.
   */
  stalledMs: number;
  /**
   * Requests taken back on one connection to a server, before others get a connection of their own: the server counts them, too, and would
   * cut off every client for what one of them did.
   */
  resetsPerServerSession: number;
  /** How long a server that answered in HTTP/1.1 is asked in HTTP/1.1. */
  rememberHttp1Ms: number;
  /**
   * Connections to one server that speaks HTTP/1.1: each has one request at a time. One client, which is an address, has as many as are left for
   * others, thus half of them at most.
   */
  http1ConnectionsPerServer: number;

  /** What is kept of a request's body, so that another server may be asked. Bytes. */
  replayBytes: number;
  /** Servers that one request is sent to at most. */
  attempts: number;
  /** How often connections are looked after: the precision of the longer times above. */
  reviewEveryMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  firstBytesWithinMs: 10_000,
  clientIdleMs: 10 * 60_000,
  clientProbeEveryMs: 60_000,
  clientProbeWithinMs: 20_000,
  streamsPerClient: 128,
  clientWindowBytes: 256 * 1024,
  headerFields: 128,
  headerBytes: 64 * 1024,
  resetBurst: 500,
  resetsPerSecond: 33,
  invalidFrames: 1000,
  rejectedStreams: 100,
  pingsPerSecond: 10_000,
  settingsPerSecond: 100,

  sessionsPerServer: 64,
  streamsPerServerSession: 32,
  waitingPerServer: 1000,
  waitForServerMs: 5000,
  settingsWithinMs: 5000,
  serverIdleMs: 60_000,
  serverAgeMs: 5 * 60_000,
  serverProbeEveryMs: 5 * 60_000 + 10_000,
  serverProbeWithinMs: 20_000,
  serverWindowBytes: 64 * 1024,
  windowGrowthBytes: 8 * 1024 * 1024,
  heldBytes: 128 * 1024 * 1024,
  stalledMs: 5 * 60_000,
  resetsPerServerSession: 500,
  rememberHttp1Ms: 60_000,
  http1ConnectionsPerServer: 128,

  replayBytes: 64 * 1024,
  attempts: 5,
  reviewEveryMs: 1000,
};

/** The same for the ends that speak HTTP/1.1; of what only they have, what a listener of type http has. */
export function http1Limits({
  headerBytes,
  headerFields,
  clientIdleMs,
  serverIdleMs,
  serverAgeMs,
  stalledMs,
  http1ConnectionsPerServer,
}: Limits): HttpLimits {
  return {
    ...HTTP1_LIMITS,
    headBytes: headerBytes,
    fields: headerFields,
    clientIdleMs,
    serverIdleMs,
    serverAgeMs,
    stalledMs,
    idlePerServer: http1ConnectionsPerServer,
  };
}
