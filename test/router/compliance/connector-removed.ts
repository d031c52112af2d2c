import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../support/until.ts';
import type { Check } from './checks.ts';
import { Held } from './held.ts';
import { Load } from './load.ts';
import type { Side } from './protocol.ts';

export const connectorRemoved: Check = (line, protocol) => {
  it('under load fails no exchange, gets no new one, and the others go on', async () => {
    const [leaving, staying] = [line.keep(await protocol.startEcho(line.far)), line.keep(await protocol.startEcho(line.far))];
    const address = line.name(protocol);
    const connector = await line.offer(protocol, address, leaving);
    await line.offer(protocol, address, staying);
    await line.knows(address, 2);
    const { door } = await line.listen(protocol, address);
    const load = line.keep(new Load(protocol, door));
    await until('both to have exchanges', () => leaving.exchanges > 50 && staying.exchanges > 50);
    await connector.remove();
    await line.knows(address, 1);
    // What is on its way there still comes.
    await load.turnedOver();
    const { exchanges } = leaving;
    await load.answered(200);
    assert.deepEqual(await load.stop(), []);
    assert.equal(leaving.exchanges, exchanges, 'exchanges came after it was known to be removed');
  });

  const { streams } = protocol;
  if (!streams) return;
  it('lets exchanges that are under way come to their end', async () => {
    const server = line.keep(await streams.start(({ input, output }: Side) => void input.pipe(output)));
    const address = line.name(protocol);
    const connector = await line.offer(protocol, address, server);
    const { door } = await line.listen(protocol, address);
    const held = await Held.start(streams, door);
    await connector.remove();
    await until('the listener to take nobody', () => protocol.isShut(door));
    await held.finish();
  });
};
