/** Datagrams that may be on their way at once: what fits into the buffers of an untuned kernel. */
export const WINDOW = 128;
/** The server confirms after every so many. */
export const CONFIRM_EVERY = 32;
