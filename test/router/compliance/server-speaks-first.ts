import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import type { Check } from './checks.ts';

export const serverSpeaksFirst: Check = (line, protocol) => {
  it('brings what the server says before it was asked', async () => {
    const streams = protocol.streams!;
    const server = line.keep(await streams.start(({ output }) => output.write('220 ready\n')));
    const client = await streams.open(await line.door(protocol, server));
    const [greeting] = (await once(client.input, 'data')) as [Buffer];
    assert.equal(greeting.toString(), '220 ready\n');
    client.reset();
    client.close?.();
  });
};
