/** Messages that two programs could read in two ways, which is how requests are smuggled past a proxy: each is refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byteByByte, bytes, transcript } from './transcript.testkit.ts';

const GET = 'GET / HTTP/1.1\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
const OK = 'HTTP/1.1 200 OK\r\n';
const OK_CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

const REQUESTS: [what: string, message: string, status: number][] = [
  // Two ways to tell where the body ends.
  ['Content-Length and Transfer-Encoding', `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['Transfer-Encoding and Content-Length', `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`, 400],
  ['Content-Length: 0 beside chunked', `${POST}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
  ['two Content-Lengths that differ', `${POST}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`, 400],
  ['two in different notation', `${POST}Content-Length: 5\r\nContent-Length: 05\r\n\r\nabcde`, 400],
  ['a list of Content-Lengths', `${POST}Content-Length: 5, 5\r\n\r\nabcde`, 400],
  // Numbers that are none.
  ['Content-Length with a plus', `${POST}Content-Length: +5\r\n\r\nabcde`, 400],
  ['Content-Length with a minus', `${POST}Content-Length: -5\r\n\r\nabcde`, 400],
  ['Content-Length in hexadecimal', `${POST}Content-Length: 0x5\r\n\r\nabcde`, 400],
  ['Content-Length with a fraction', `${POST}Content-Length: 5.0\r\n\r\nabcde`, 400],
  ['Content-Length with an exponent', `${POST}Content-Length: 1e1\r\n\r\nabcde`, 400],
  ['Content-Length with a space in it', `${POST}Content-Length: 5 5\r\n\r\nabcde`, 400],
  ['Content-Length with an underscore', `${POST}Content-Length: 1_0\r\n\r\nabcde`, 400],
  ['an empty Content-Length', `${POST}Content-Length:\r\n\r\n`, 400],
  ['Content-Length beyond all bounds', `${POST}Content-Length: 99999999999999999999\r\n\r\n`, 400],
  ['Content-Length in quotes', `${POST}Content-Length: "5"\r\n\r\nabcde`, 400],
  ['Content-Length in other digits', `${POST}Content-Length: \xb2\r\n\r\nab`, 400],
  // Transfer codings that are not exactly chunked.
  ['an unknown coding', `${POST}Transfer-Encoding: xchunked\r\n\r\n`, 400],
  ['identity', `${POST}Transfer-Encoding: identity\r\n\r\n`, 400],
  ['gzip without chunked', `${POST}Transfer-Encoding: gzip\r\n\r\n`, 400],
  ['gzip before chunked', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
  ['gzip and chunked on two lines', `${POST}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`, 501],
  ['chunked before something else', `${POST}Transfer-Encoding: chunked, identity\r\n\r\n`, 400],
  ['chunked twice', `${POST}Transfer-Encoding: chunked, chunked\r\n\r\n`, 400],
  ['chunked twice on two lines', `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
  ['chunked and an empty one', `${POST}Transfer-Encoding: chunked,\r\n\r\n`, 400],
  ['an empty one and chunked', `${POST}Transfer-Encoding: ,chunked\r\n\r\n`, 501],
  ['chunked in quotes', `${POST}Transfer-Encoding: "chunked"\r\n\r\n`, 400],
  ['chunked with a parameter', `${POST}Transfer-Encoding: chunked;q=1\r\n\r\n`, 400],
  ['chunked behind a vertical tab', `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n`, 400],
  ['chunked before a NUL', `${POST}Transfer-Encoding: chunked\0\r\n\r\n`, 400],
  ['an empty Transfer-Encoding', `${POST}Transfer-Encoding:\r\n\r\n`, 400],
  ['Transfer-Encoding with a space before the colon', `${POST}Transfer-Encoding : chunked\r\n\r\n`, 400],
  ['Transfer-Encoding behind a space', `${POST} Transfer-Encoding: chunked\r\n\r\n`, 400],
  ['Transfer-Encoding on a folded line', `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n`, 400],
  ['Transfer_Encoding, which becomes it elsewhere', `${POST}Transfer_Encoding: chunked\r\n\r\n`, 400],
  ['Content_Length, which becomes it elsewhere', `${POST}Content_Length: 5\r\n\r\n`, 400],
  ['chunked in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['a Connection field that takes the length away', `${POST}Connection: content-length\r\nContent-Length: 5\r\n\r\nabcde`, 400],
  ['a Connection field that takes the coding away', `${POST}Connection: x, Transfer-Encoding\r\n\r\n`, 400],
  ['a Connection field that takes the host away', `${GET}Host: a\r\nConnection: Host\r\n\r\n`, 400],
  // Line ends.
  ['a bare LF behind the first line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 400],
  ['a bare LF behind a field', `${GET}Host: a\nX: y\r\n\r\n`, 400],
  ['a bare CR behind a field', `${GET}Host: a\rX: y\r\n\r\n`, 400],
  ['a bare CR in the first line', 'GET /\r HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a bare LF as the empty line', `${GET}Host: a\r\n\n`, 400],
  ['only bare LFs', 'GET / HTTP/1.1\nHost: a\n\n', 400],
  ['a CR before CRLF', `${GET}Host: a\r\r\n\r\n`, 400],
  ['two empty lines before it', `\r\n\r\n${GET}Host: a\r\n\r\n`, 400],
  ['a bare LF before it', `\n${GET}Host: a\r\n\r\n`, 400],
  ['a folded field', `${GET}Host: a\r\nX: y\r\n z\r\n\r\n`, 400],
  ['a field folded with a tab', `${GET}Host: a\r\nX: y\r\n\tz\r\n\r\n`, 400],
  ['a fold before the first field', `${GET} X: y\r\nHost: a\r\n\r\n`, 400],
  // Fields.
  ['a space before a colon', `${GET}Host : a\r\n\r\n`, 400],
  ['a tab before a colon', `${GET}Host\t: a\r\n\r\n`, 400],
  ['a line without a colon', `${GET}Host: a\r\nX\r\n\r\n`, 400],
  ['a field without a name', `${GET}Host: a\r\n: y\r\n\r\n`, 400],
  ['NUL in a value', `${GET}Host: a\r\nX: a\0b\r\n\r\n`, 400],
  ['NUL in a name', `${GET}Host: a\r\nX\0: a\r\n\r\n`, 400],
  ['DEL in a value', `${GET}Host: a\r\nX: a\x7f\r\n\r\n`, 400],
  ['a bell in a value', `${GET}Host: a\r\nX: \x07\r\n\r\n`, 400],
  ['a name beyond ASCII', `${GET}Host: a\r\nX\xe9: a\r\n\r\n`, 400],
  ['a name in brackets', `${GET}Host: a\r\n[x]: a\r\n\r\n`, 400],
  // Who is meant.
  ['no Host', `${GET}\r\n`, 400],
  ['two Hosts', `${GET}Host: a\r\nHost: a\r\n\r\n`, 400],
  ['two Hosts that differ', `${GET}Host: a\r\nX: y\r\nhost: b\r\n\r\n`, 400],
  ['two Hosts in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ['a list as Host', `${GET}Host: a, b\r\n\r\n`, 400],
  ['a Host with a user', `${GET}Host: a@b\r\n\r\n`, 400],
  ['a Host with a path', `${GET}Host: a/b\r\n\r\n`, 400],
  ['a Host with two ports', `${GET}Host: a:1:2\r\n\r\n`, 400],
  ['an absolute target with a user', 'GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  // The first line.
  ['no version', 'GET /\r\nHost: a\r\n\r\n', 400],
  ['HTTP/0.9', 'GET / HTTP/0.9\r\nHost: a\r\n\r\n', 505],
  ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 505],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['HTTP/3.0', 'GET / HTTP/3.0\r\nHost: a\r\n\r\n', 505],
  ['a version in small letters', 'GET / http/1.1\r\nHost: a\r\n\r\n', 400],
  ['a version with more digits', 'GET / HTTP/1.10\r\nHost: a\r\n\r\n', 400],
  ['a version with leading zeros', 'GET / HTTP/01.1\r\nHost: a\r\n\r\n', 400],
  ['a space behind the version', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 400],
  ['a space before the method', ' GET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['two spaces behind the method', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['two spaces before the version', 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['tabs instead of spaces', 'GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target with a space', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target with a NUL', 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target with a fragment', 'GET /#a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target beyond ASCII', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target that is no path', 'GET a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a star for a GET', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a tunnel', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a method in brackets', '(GET) / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['TLS on a port without TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  // Chunks.
  ['a chunk size that is no number', `${CHUNKED}x\r\n`, 400],
  ['an empty chunk size', `${CHUNKED}\r\n`, 400],
  ['a chunk size with a sign', `${CHUNKED}+5\r\nabcde\r\n0\r\n\r\n`, 400],
  ['a chunk size with 0x', `${CHUNKED}0x5\r\nabcde\r\n0\r\n\r\n`, 400],
  ['a chunk size with a space before it', `${CHUNKED} 5\r\nabcde\r\n0\r\n\r\n`, 400],
  ['a chunk size with a space behind it', `${CHUNKED}5 \r\nabcde\r\n0\r\n\r\n`, 400],
  ['a chunk size with an underscore', `${CHUNKED}1_0\r\n`, 400],
  ['a chunk size that overflows', `${CHUNKED}10000000000000005\r\nabcde\r\n0\r\n\r\n`, 400],
  ['a chunk size with many zeros', `${CHUNKED}00000000000000000005\r\nabcde\r\n0\r\n\r\n`, 400],
  ['a chunk size that ends with a bare LF', `${CHUNKED}5\nabcde\r\n0\r\n\r\n`, 400],
  ['a chunk size that ends with a bare CR', `${CHUNKED}5\rabcde\r\n0\r\n\r\n`, 400],
  ['a chunk that is longer than it says', `${CHUNKED}4\r\nabcde\r\n0\r\n\r\n`, 400],
  ['a chunk that is shorter than it says', `${CHUNKED}6\r\nabcde\r\n0\r\n\r\n`, 400],
  ['a chunk that ends with a bare LF', `${CHUNKED}5\r\nabcde\n0\r\n\r\n`, 400],
  ['a chunk that ends with two bytes of something', `${CHUNKED}5\r\nabcdexx0\r\n\r\n`, 400],
  ['an extension with a bare LF', `${CHUNKED}5;a\nb\r\nabcde\r\n0\r\n\r\n`, 400],
  ['an extension with a bare CR', `${CHUNKED}5;a\rb\r\nabcde\r\n0\r\n\r\n`, 400],
  ['an extension with a NUL', `${CHUNKED}5;\0\r\nabcde\r\n0\r\n\r\n`, 400],
  ['an extension without end', `${CHUNKED}5;${'a'.repeat(2000)}`, 400],
  ['spaces without end behind a size', `${CHUNKED}5${' '.repeat(2000)}`, 400],
  ['a comma behind a size', `${CHUNKED}5,5\r\nabcde\r\n`, 400],
  ['a last chunk that ends with a bare LF', `${CHUNKED}0\n\r\n`, 400],
  ['a trailer line with a bare LF', `${CHUNKED}0\r\nX: y\n\r\n\r\n`, 400],
  ['a trailer that is no field', `${CHUNKED}0\r\nGET / HTTP/1.1\r\n\r\n`, 400],
  ['a length in the trailer', `${CHUNKED}0\r\nContent-Length: 5\r\n\r\n`, 400],
  ['a coding in the trailer', `${CHUNKED}0\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
  ['a host in the trailer', `${CHUNKED}0\r\nHost: b\r\n\r\n`, 400],
  ['a trailer without end', `${CHUNKED}0\r\nX: ${'y'.repeat(9000)}`, 431],
  // Too much.
  ['a first line without end', `GET /${'a'.repeat(9000)}`, 414],
  ['a first line that is too long', `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
  ['a head without end', `${GET}Host: a\r\nX: ${'y'.repeat(40_000)}`, 431],
  ['a head that is too long', `${GET}Host: a\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`, 431],
  ['too many fields', `${GET}Host: a\r\n${'X: y\r\n'.repeat(200)}\r\n`, 431],
];

const RESPONSES: [what: string, message: string, status: number][] = [
  ['Content-Length and Transfer-Encoding', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['two Content-Lengths that differ', `${OK}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`, 400],
  ['a list of Content-Lengths', `${OK}Content-Length: 5, 5\r\n\r\nabcde`, 400],
  ['Content-Length with a plus', `${OK}Content-Length: +5\r\n\r\nabcde`, 400],
  ['an unknown coding', `${OK}Transfer-Encoding: xchunked\r\n\r\n`, 400],
  ['gzip before chunked', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
  ['chunked twice', `${OK}Transfer-Encoding: chunked, chunked\r\n\r\n`, 400],
  ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['a folded field', `${OK}X: y\r\n z\r\n\r\n`, 400],
  ['a space before a colon', `${OK}X : y\r\n\r\n`, 400],
  ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', 400],
  ['a bare CR in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n', 400],
  ['a NUL in a value', `${OK}X: \0\r\n\r\n`, 400],
  ['an empty line before it', `\r\n${OK}\r\n`, 400],
  ['no status', 'HTTP/1.1 OK\r\n\r\n', 400],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', 400],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 400],
  ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n', 400],
  ['a status above 599', 'HTTP/1.1 600 OK\r\n\r\n', 400],
  ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n', 400],
  ['another version', 'HTTP/2.0 200 OK\r\n\r\n', 400],
  ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n\r\n', 400],
  ['a request', `${GET}Host: a\r\n\r\n`, 400],
  ['a chunk size that is no number', `${OK_CHUNKED}x\r\n`, 400],
  ['a chunk that is longer than it says', `${OK_CHUNKED}4\r\nabcde\r\n0\r\n\r\n`, 400],
  ['an extension with a bare LF', `${OK_CHUNKED}5;a\nb\r\nabcde\r\n0\r\n\r\n`, 400],
  ['a length in the trailer', `${OK_CHUNKED}0\r\nContent-Length: 5\r\n\r\n`, 400],
  ['a head that is too long', `${OK}X: ${'y'.repeat(40_000)}\r\n\r\n`, 431],
];

for (const [kind, cases] of [
  ['request', REQUESTS],
  ['response', RESPONSES],
] as const)
  describe(`a ${kind} is refused that has`, () => {
    for (const [what, message, status] of cases)
      it(what, () => {
        const whole = bytes(message);
        const refusal = `refused ${status}`;
        assert.equal(transcript([whole], { kind }).at(-1), refusal, 'in one piece');
        assert.equal(transcript(byteByByte(whole), { kind }).at(-1), refusal, 'byte by byte');
        // Behind another message the parser is as strict.
        const before = bytes(kind === 'request' ? `${GET}Host: a\r\n\r\n` : `${OK}Content-Length: 1\r\n\r\nx`);
        assert.equal(transcript([Buffer.concat([before, whole])], { kind }).at(-1), refusal, 'behind another one');
      });
  });
