import { STATUS_CODES } from 'node:http';

export interface OwnAnswer {
  status: number;
  /** Default: none. */
  type?: string;
  /** Default: none, and its length is not given where there may be none. */
  body?: Buffer | string;
  /** The request's; default GET. */
  method?: string;
  /** Of the client's HTTP/1. */
  minor: number;
  closes: boolean;
}

/** An answer that no server gave. */
export function ownAnswer({ status, type, body = '', method = 'GET', minor, closes }: OwnAnswer): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const lines = [
    statusLine(status),
    `Date: ${new Date().toUTCString()}`,
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    `Content-Length: ${bytes.length}`,
    ...(closes ? ['Connection: close'] : minor === 0 ? ['Connection: keep-alive'] : []),
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return method === 'HEAD' ? head : Buffer.concat([head, bytes]);
}

/** One sentence for people. */
export function plainAnswer(sentence: string, answer: Omit<OwnAnswer, 'type' | 'body'>): Buffer {
  return ownAnswer({ ...answer, type: 'text/plain; charset=utf-8', body: `${sentence}\n` });
}

/** The first line of an answer, without its CRLF. A status that has no name of its own has none here. */
export function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`;
}
