import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inPieces, spoilt } from '../../../test/support/bad-bytes.ts';
import { Random } from '../../../test/simulation/random.ts';
import { RequestHead } from './head.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { MessageParser } from './message-parser.ts';
import { byteByByte, bytes, type Reading, transcript } from './transcript.testkit.ts';

const HOST = 'Host: a\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

/** Messages, and what they are. */
const MESSAGES: [what: string, text: string, expected: string[], reading?: Reading][] = [
  ['a request without a body', `GET /x?y HTTP/1.1\r\n${HOST}\r\n`, ['GET /x 0', 'body ""']],
  ['a request of HTTP/1.0 without a host', 'GET / HTTP/1.0\r\n\r\n', ['GET / 0', 'body ""']],
  ['an empty line before a request', `\r\nGET / HTTP/1.1\r\n${HOST}\r\n`, ['GET / 0', 'body ""']],
  ['an absolute target', `GET http://b/x HTTP/1.1\r\n${HOST}\r\n`, ['GET /x 0', 'body ""']],
  ['an absolute target without a path', `GET http://b?x HTTP/1.1\r\n${HOST}\r\n`, ['GET / 0', 'body ""']],
  ['a question about the server', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, ['OPTIONS * 0', 'body ""']],
  ['a method of its own', `M-SEARCH / HTTP/1.1\r\n${HOST}\r\n`, ['M-SEARCH / 0', 'body ""']],
  ['an empty host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', ['GET / 0', 'body ""']],
  ['a host of IPv6', 'GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', ['GET / 0', 'body ""']],
  ['values beyond ASCII and empty ones', `GET / HTTP/1.1\r\n${HOST}X: \xe9\r\nY:\r\n\r\n`, ['GET / 0', 'body ""']],
  ['a body with a length', `PUT / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nabcde`, ['PUT / 5', 'body "abcde"']],
  ['the same length twice', `PUT / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`, ['PUT / 1', 'body "a"']],
  [
    'chunks',
    `PUT / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n5\r\nabcde\r\nA\r\n0123456789\r\n0\r\n\r\n`,
    ['PUT / chunked', 'body "5\\r\\nabcde\\r\\nA\\r\\n0123456789\\r\\n0\\r\\n\\r\\n"'],
  ],
  [
    'chunks with extensions and a trailer',
    `PUT / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n1;a="b;c" ;d\r\nx\r\n00;e\r\nT: u\r\n\r\n`,
    ['PUT / chunked', 'body "1;a=\\"b;c\\" ;d\\r\\nx\\r\\n00;e\\r\\nT: u\\r\\n\\r\\n"'],
  ],
  [
    'chunks that are taken apart',
    `PUT / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n5;x\r\nabcde\r\na\r\n0123456789\r\n0\r\nT: u\r\n\r\n`,
    ['PUT / chunked', 'body "abcde0123456789"', 'trailers "T: u\\r\\n\\r\\n"'],
    { unchunks: true },
  ],
  [
    'chunks that are taken apart, with nothing behind them',
    `PUT / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`,
    ['PUT / chunked', 'body "a"', 'GET / 0', 'body ""'],
    { unchunks: true },
  ],
  [
    'a coding in capitals',
    `PUT / HTTP/1.1\r\n${HOST}transfer-ENCODING: CHUNKED \r\n\r\n0\r\n\r\n`,
    ['PUT / chunked', 'body "0\\r\\n\\r\\n"'],
  ],
  [
    'requests one behind the other',
    `GET /1 HTTP/1.1\r\n${HOST}\r\nPUT /2 HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nxGET /3 HTTP/1.1\r\n${HOST}\r\n`,
    ['GET /1 0', 'body ""', 'PUT /2 1', 'body "x"', 'GET /3 0', 'body ""'],
  ],
  ['half a request', `PUT / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nabc`, ['PUT / 5', 'unfinished']],
  ['an answer with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', ['200 2', 'body "ok"'], { kind: 'response' }],
  ['an answer without a reason', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', ['200 0', 'body ""'], { kind: 'response' }],
  [
    'an answer without a length',
    'HTTP/1.1 200 OK\r\n\r\nabc',
    ['200 until-close', 'body "abc"'],
    { kind: 'response', ends: true },
  ],
  ['an answer of HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nabc', ['200 until-close', 'body "abc"'], { kind: 'response', ends: true }],
  ['half an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc', ['200 9', 'cut off'], { kind: 'response', ends: true }],
  [
    'an answer cut off in a chunk',
    `HTTP/1.1 200 OK\r\n${CHUNKED}\r\n9\r\nabc`,
    ['200 chunked', 'cut off'],
    {
      kind: 'response',
      ends: true,
    },
  ],
  [
    'the answer to HEAD',
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n',
    ['200 0', 'body ""'],
    { kind: 'response', method: 'HEAD' },
  ],
  ['204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n', ['204 0', 'body ""'], { kind: 'response' }],
  ['304 with a coding', `HTTP/1.1 304 Not Modified\r\n${CHUNKED}\r\n`, ['304 0', 'body ""'], { kind: 'response' }],
  [
    'interim answers first',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ['100 interim', '103 interim', '200 0', 'body ""'],
    { kind: 'response' },
  ],
  ['a change of protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', ['101 0', 'body ""'], { kind: 'response' }],
];

describe('a parser reads', () => {
  for (const [what, text, expected, reading] of MESSAGES)
    it(what, () => {
      assert.deepEqual(transcript([bytes(text)], reading), expected, 'in one piece');
      assert.deepEqual(transcript(byteByByte(bytes(text)), reading), expected, 'byte by byte');
    });
});

it('reads the same in whatever pieces a message comes', () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new Random(seed);
    const [what, text, expected, reading] = random.pick(MESSAGES);
    const most = random.chance(0.5) ? 4 : text.length;
    assert.deepEqual(transcript(inPieces(bytes(text), most, random), reading), expected, `seed ${seed}: ${what}`);
  }
});

it('reads random chunks in random pieces as what they carry', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = new Random(seed);
    let payload = '';
    let body = '';
    for (let left = random.integer(0, 8); left > 0; left--) {
      const data = String.fromCharCode(random.integer(97, 122)).repeat(random.integer(1, 300));
      payload += data;
      body += `${data.length.toString(16)}${random.chance(0.3) ? ';x=y' : ''}\r\n${data}\r\n`;
    }
    const trailers = random.chance(0.3) ? 'T: u\r\nV: w\r\n\r\n' : '';
    body += `0\r\n${trailers === '' ? '\r\n' : trailers}`;
    const whole = bytes(`PUT / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n${body}`);
    const pieces = inPieces(whole, 60, random);
    const head = 'PUT / chunked';
    assert.deepEqual(transcript(pieces), [head, `body ${JSON.stringify(body)}`], `seed ${seed}`);
    const carried = [
      head,
      `body ${JSON.stringify(payload)}`,
      ...(trailers === '' ? [] : [`trailers ${JSON.stringify(trailers)}`]),
    ];
    assert.deepEqual(transcript(pieces, { unchunks: true }), carried, `seed ${seed}`);
  }
});

it('makes the same of what somebody spoilt, in whatever pieces it comes: reads it or refuses it', () => {
  let refused = 0;
  for (let seed = 1; seed <= 5000; seed++) {
    const random = new Random(seed);
    const [what, text, , reading] = random.pick(MESSAGES);
    const bad = spoilt(bytes(text), random);
    const said = transcript([bad], reading);
    if (said.at(-1)?.startsWith('refused')) refused++;
    const because = `seed ${seed}: ${what}, ${JSON.stringify(bad.toString('latin1'))}`;
    assert.deepEqual(transcript(inPieces(bad, 8, random), reading), said, because);
  }
  assert.ok(refused > 1000 && refused < 4500, `${refused} of 5000 refused`);
});

it('passes a body on without a copy of it, in as few pieces as it came in', () => {
  const pieces: Buffer[] = [];
  const sink = {
    head: ({ framing }: RequestHead) => framing,
    body: (piece: Buffer) => void pieces.push(piece),
    end: () => {},
  };
  const parser = new MessageParser('request', RequestHead.parse, sink, DEFAULT_LIMITS);
  const head = bytes(`PUT / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n`);
  const body = bytes('5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n');
  parser.feed(head);
  parser.feed(body);
  assert.equal(pieces.length, 1);
  assert.equal(pieces[0], body);
});
