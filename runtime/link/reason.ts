/** Why a stream was refused or reset, as it travels. `message` is a sentence for people and names the site it comes from. */
export interface Reason {
  code: ReasonCode;
  message: string;
}

export type ReasonCode =
  /** No router there offers the address, or none is reachable. */
  | 'unreachable'
  /** The server refused the connection, or did not answer in time. */
  | 'refused'
  /** The application, or its host, reset the connection. */
  | 'reset'
  /** The link, or the router at its end, went away. */
  | 'link-lost'
  /** A neighbour broke the protocol. */
  | 'protocol'
  | 'timeout'
  /** The site is ending. */
  | 'closing';

const CODES = new Set<string>(['unreachable', 'refused', 'reset', 'link-lost', 'protocol', 'timeout', 'closing']);

/** A reason from a neighbour, made safe: bounded, and of a known code. */
export function toReason(value: unknown): Reason {
  const { code, message } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<string, unknown>>;
  return {
    code: typeof code === 'string' && CODES.has(code) ? (code as ReasonCode) : 'reset',
    message: typeof message === 'string' ? message.slice(0, 500) : 'no reason was given',
  };
}

/** A stream ended before its time. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
  readonly code: ReasonCode;
  constructor({ code, message }: Reason) {
    super(message);
    this.code = code;
  }
}

/** What the far end is told of the error that a connection was lost with; undefined where it just closed. */
export function reasonOf(error: Error | null | undefined): Reason {
  if (error instanceof StreamError) return { code: error.code, message: error.message };
  return { code: 'reset', message: error?.message ?? 'the connection was closed' };
}
