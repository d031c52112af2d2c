/** Of the ports where links come in, before anybody has said who they are. */

/** Connections that wait to be taken in at most; further ones are refused by the system. */
export const BACKLOG = 200;
/** Of all incoming connections of a port together, links among them. */
export const MAX_CONNECTIONS = 20_000;
/** Milliseconds, and bytes. */
export const HTTP_LIMITS = { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 30_000 };
