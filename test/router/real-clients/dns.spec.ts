/** A DNS server, asked over UDP and TCP. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../../support/free-port.ts';
import { Pair, run, whyNot } from './pair.ts';

const skip = await whyNot({ dnsmasq: 'dnsmasq-base', dig: 'bind9-dnsutils' });
/** More than fits into a datagram of 512 bytes. */
const LONG = Array.from({ length: 8 }, (_, at) => `${at}`.repeat(200));

describe('DNS', { skip }, () => {
  let pair: Pair;
  let port: number;

  before(async () => {
    pair = await Pair.start();
    const server = await freePort();
    const args = ['--keep-in-foreground', '--conf-file=/dev/null', '--pid-file=', '--no-resolv', '--no-hosts'];
    args.push(`--port=${server}`, '--listen-address=127.0.0.1', '--bind-interfaces', '--user=', '--cache-size=0');
    args.push('--host-record=orders.example,192.0.2.7', ...LONG.map((text) => `--txt-record=long.example,${text}`));
    await pair.serve('dnsmasq', args, server);
    port = await pair.carryBoth('dns', server);
  });
  after(() => pair.stop());

  const dig = (...args: string[]) => run('dig', ['@127.0.0.1', '-p', String(port), '+tries=3', '+time=5', ...args]);

  it('answers over UDP', async () => {
    assert.equal(await dig('+notcp', '+short', 'orders.example'), '192.0.2.7\n');
  });

  it('answers over TCP', async () => {
    assert.equal(await dig('+tcp', '+short', 'orders.example'), '192.0.2.7\n');
  });

  it('says that there is no such name', async () => {
    assert.match(await dig('nobody.example'), /status: (NXDOMAIN|REFUSED)/);
  });

  it('answers over UDP what fits, and over TCP what does not', async () => {
    assert.match(await dig('+notcp', '+ignore', '+bufsize=512', 'long.example', 'TXT'), /flags:[^;]* tc/);
    const answer = await dig('+bufsize=512', 'long.example', 'TXT');
    assert.match(answer, /Truncated, retrying in TCP mode/);
    for (const text of LONG) assert.ok(answer.includes(text));
    assert.ok((await dig('+notcp', '+bufsize=4096', '+short', 'long.example', 'TXT')).includes(LONG[7]!));
  });

  it('answers a hundred questions at a time', async () => {
    const questions = Array.from({ length: 100 }, () => dig('+short', 'orders.example'));
    assert.deepEqual(new Set(await Promise.all(questions)), new Set(['192.0.2.7\n']));
  });
});
