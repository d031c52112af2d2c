import { STATUS_CODES } from 'node:http';

interface OwnHead {
  status: number;
  /** Default: none. */
  type?: string;
  /** Of the client's HTTP/1. */
  minor: number;
  closes: boolean;
}

interface OwnAnswer extends OwnHead {
  /** The request's; default GET. */
  method?: string;
}

/** The head of an answer that no server gave. `length`: of its body. Bytes. */
export function ownHead({ status, type, minor, closes }: OwnHead, length: number): Buffer {
  const lines = [
    statusLine(status),
    `Date: ${new Date().toUTCString()}`,
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    `Content-Length: ${length}`,
    ...(closes ? ['Connection: close'] : minor === 0 ? ['Connection: keep-alive'] : []),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** One sentence for people. */
export function plainAnswer(sentence: string, { method = 'GET', ...answer }: Omit<OwnAnswer, 'type'>): Buffer {
  const body = Buffer.from(`${sentence}\n`);
  const head = ownHead({ ...answer, type: 'text/plain; charset=utf-8' }, body.length);
  return method === 'HEAD' ? head : Buffer.concat([head, body]);
}

/** The first line of an answer, without its CRLF. A status that has no name of its own has none here. */
export function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`;
}
