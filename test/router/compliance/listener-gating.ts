import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../support/until.ts';
import type { Check } from './checks.ts';

export const listenerGating: Check = (line, protocol) => {
  it('takes nobody while nothing offers the address, and is at the same port when something does', async () => {
    const { port } = line.keep(await protocol.startEcho(line.far));
    const address = line.name(protocol);
    const offered = await line.offer(protocol, address, { port });
    const { door } = await line.listen(protocol, address);
    const question = Buffer.from('hello');
    assert.deepEqual(await protocol.ask(door, question), question);
    assert.equal(await protocol.isShut(door), false);
    await offered.remove();
    await until('the listener to take nobody', () => protocol.isShut(door));
    await line.offer(protocol, address, { port });
    await until('the listener to take clients again', async () => !(await protocol.isShut(door)));
    assert.deepEqual(await protocol.ask(door, question), question);
  });
};
