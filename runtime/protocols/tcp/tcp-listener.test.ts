import assert from 'node:assert/strict';
import { it } from 'node:test';
import { dial, received } from '../../../test/support/tcp.ts';
import { StreamError } from '../../link/reason.ts';
import { createLog } from '../../log.ts';
import type { Way } from '../listener.ts';
import { openTcpListener } from './tcp-listener.ts';

it('clients that are refused fill no log, however many they are', async (t) => {
  const lines: string[] = [];
  const never = () => {
    throw new Error('a connection is no request');
  };
  const way: Way = {
    address: 'backend',
    log: createLog({ level: 'warn', format: 'json', write: (line) => lines.push(line) }),
    count: () => {},
    join: () => Promise.reject(new StreamError({ code: 'refused', message: `west: server-${lines.length} refuses connections` })),
    attempts: never,
    fanOut: never,
    copies: never,
    flow: never,
  };
  const listener = await openTcpListener('127.0.0.1', 0, way);
  t.after(() => listener.close());
  for (let count = 0; count < 20; count++) await assert.rejects(received(dial(listener.port)));
  assert.equal(lines.length, 5);
  const { message, address, reason } = JSON.parse(lines[0]!) as Record<string, string>;
  assert.deepEqual([message, address, reason], ['a client was refused', 'backend', 'west: server-0 refuses connections']);
});
