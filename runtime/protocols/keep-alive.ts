/** A silent connection is asked whether its other end lives after this. Milliseconds. */
const KEEP_ALIVE_AFTER_MS = 60_000;

/** TCP keep-alive (RFC 9293, section 3.8.4), for the sockets of clients and of servers. */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS } as const;
