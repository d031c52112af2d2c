import { it } from 'node:test';
import { until } from '../../support/until.ts';
import type { Check } from './checks.ts';
import { Held } from './held.ts';

export const listenerRemoved: Check = (line, protocol) => {
  it('under load takes no new client, and lets exchanges that are under way come to their end', async () => {
    const server = line.keep(await protocol.startEcho(line.far));
    const address = line.name(protocol);
    await line.offer(protocol, address, server);
    const listener = await line.listen(protocol, address);
    const held = await Held.start(protocol.streams!, listener.door);
    await listener.remove();
    await until('the listener to take nobody', () => protocol.isShut(listener.door));
    await held.finish();
  });
};
