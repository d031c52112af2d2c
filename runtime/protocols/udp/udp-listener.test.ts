import assert from 'node:assert/strict';
import { it } from 'node:test';
import { stoppedClock } from '../../../test/support/stopped-clock.ts';
import { UdpPeer } from '../../../test/support/udp.ts';
import { until } from '../../../test/support/until.ts';
import { silentLog } from '../../log.ts';
import type { Way } from '../listener.ts';
import { FLOW_IDLE_MS, SWEEP_EVERY_MS } from './flow-table.ts';
import { openUdpListener } from './udp-listener.ts';

it('a flow is over once nothing came or went for two minutes; what the client sends then is another', async (t) => {
  const pass = stoppedClock(t, SWEEP_EVERY_MS);
  const flows: { sent: string[]; answer: (datagram: Buffer) => void; isClosed: boolean }[] = [];
  const listener = await openUdpListener('127.0.0.1', 0, wayOf(flows));
  const client = await UdpPeer.start();
  t.after(async () => {
    listener.close();
    await client.stop();
  });
  client.send('one', listener.port);
  await until('a flow', () => flows[0]?.sent.length === 1);
  pass(FLOW_IDLE_MS - 1);
  client.send('two', listener.port);
  await until('the same flow', () => flows[0]!.sent.length === 2);
  pass(FLOW_IDLE_MS - 1);
  flows[0]!.answer(Buffer.from('an answer'));
  await until('the answer', () => client.texts.length === 1);
  pass(FLOW_IDLE_MS - 1);
  assert.equal(flows[0]!.isClosed, false);
  pass(2);
  assert.equal(flows[0]!.isClosed, true);
  flows[0]!.answer(Buffer.from('too late'));
  client.send('three', listener.port);
  await until('another flow', () => flows[1]?.sent.length === 1);
  flows[1]!.answer(Buffer.from('in time'));
  await until('its answer', () => client.texts.length === 2);
  assert.deepEqual(client.texts, ['an answer', 'in time']);
});

function wayOf(flows: { sent: string[]; answer: (datagram: Buffer) => void; isClosed: boolean }[]): Way {
  const never = () => {
    throw new Error('datagrams are no connections');
  };
  const flow: Way['flow'] = (answer) => {
    const begun = { sent: [] as string[], answer, isClosed: false };
    flows.push(begun);
    return { send: (datagram) => void begun.sent.push(datagram.toString()), close: () => (begun.isClosed = true) };
  };
  return {
    address: 'news',
    log: silentLog,
    count: () => {},
    join: never,
    attempts: never,
    fanOut: never,
    copies: never,
    flow,
  };
}
