/** Redis and its own clients. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { findCommand } from '../../../scripts/system-packages.mjs';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import { Pair, run, whyNot } from './pair.ts';

const MIB = 1024 * 1024;
const skip = await whyNot({ 'redis-server': 'redis-server', 'redis-cli': 'redis-tools', 'redis-benchmark': 'redis-tools' });

describe('Redis', { skip }, () => {
  let pair: Pair;
  let port: number;

  before(async () => {
    pair = await Pair.start();
    const server = await freePort();
    const args = ['--port', String(server), '--bind', '127.0.0.1', '--save', '', '--dir', pair.folder];
    await pair.serve('redis-server', args, server);
    port = await pair.carry('redis', server);
  });
  after(() => pair.stop());

  const cli = (args: string[], input?: string) =>
    run('redis-cli', ['-p', String(port), ...args], input === undefined ? {} : { input });

  it('keeps 8 MiB for redis-cli', async () => {
    const value = randomBytes(4 * MIB).toString('hex');
    assert.equal(await cli(['-x', 'set', 'large'], value), 'OK\n');
    assert.equal((await cli(['get', 'large'])).trimEnd(), value);
  });

  it('brings what is published to a subscriber', async () => {
    const subscriber = spawn(findCommand('redis-cli')!, ['-p', String(port), '--csv', 'subscribe', 'news'], { stdio: 'pipe' });
    let heard = '';
    subscriber.stdout.on('data', (text) => (heard += String(text)));
    await until('the subscription', () => heard.includes('"subscribe","news",1'));
    assert.equal(await cli(['publish', 'news', 'hello']), '1\n');
    await until('the message', () => heard.includes('"message","news","hello"'));
    const ended = once(subscriber, 'exit');
    subscriber.kill();
    await ended;
    await until('the server to notice', async () => (await cli(['pubsub', 'numsub', 'news'])) === 'news\n0\n');
  });

  it('has all requests of redis-benchmark, 50 clients at a time, each with 16 at once', async () => {
    const args = ['-p', String(port), '-n', '20000', '-c', '50', '-P', '16', '-t', 'set,get,lpush', '--csv', '-r', '1000'];
    const output = await run('redis-benchmark', args);
    for (const test of ['SET', 'GET', 'LPUSH']) assert.match(output, new RegExp(`^"${test}","\\d+`, 'm'));
    assert.equal(await cli(['llen', 'mylist']), '20000\n');
  });
});
