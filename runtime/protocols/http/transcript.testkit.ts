import { HttpError } from './http-error.ts';
import { RequestHead, ResponseHead } from './head.ts';
import { DEFAULT_LIMITS, type HttpLimits } from './limits.ts';
import { MessageParser } from './message-parser.ts';

export interface Reading {
  kind?: 'request' | 'response';
  /** Of the requests that are answered. */
  method?: string;
  unchunks?: boolean;
  limits?: Partial<HttpLimits>;
  /** Nothing comes behind the last piece. */
  ends?: boolean;
}

/** What a parser makes of bytes that come in these pieces: the heads' first lines and the bodies, or with which status it refuses. */
export function transcript(pieces: Iterable<Buffer>, reading: Reading = {}): string[] {
  const { kind = 'request', method = 'GET', unchunks = false, limits = {}, ends = false } = reading;
  const said: string[] = [];
  let body = '';
  const all = { ...DEFAULT_LIMITS, ...limits };
  const common = {
    body: (piece: Buffer) => void (body += piece.toString('latin1')),
    end: (trailers?: Buffer) => {
      said.push(`body ${JSON.stringify(body)}`);
      if (trailers) said.push(`trailers ${JSON.stringify(trailers.toString('latin1'))}`);
      body = '';
    },
  };
  const request = new MessageParser(
    'request',
    RequestHead.parse,
    {
      ...common,
      head: (head) => {
        request.unchunks = unchunks;
        said.push(`${head.method} ${head.path} ${head.framing}`);
        return head.framing;
      },
    },
    all,
  );
  const response = new MessageParser(
    'response',
    ResponseHead.parse,
    {
      ...common,
      head: (head) => {
        response.unchunks = unchunks;
        said.push(`${head.status} ${head.framing(method)}`);
        return head.framing(method);
      },
    },
    all,
  );
  const parser = kind === 'request' ? request : response;
  try {
    for (const piece of pieces) for (let rest: Buffer | undefined = piece; rest;) rest = parser.feed(rest);
    if (ends && !parser.finish()) said.push('cut off');
    else if (!parser.isIdle) said.push('unfinished');
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    said.push(`refused ${error.status}`);
  }
  return said;
}

/** The bytes of a text with CRLF for `\n` only where it says so: texts are written with explicit line ends. */
export function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** One byte at a time. */
export function byteByByte(whole: Buffer): Buffer[] {
  return Array.from(whole, (_, at) => whole.subarray(at, at + 1));
}
