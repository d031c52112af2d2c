import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Check } from './checks.ts';
import { read, startForOne } from './stream-protocol.ts';

const MIB = 1024 * 1024;

export const serverEndsFirst: Check = (line, protocol) => {
  const streams = protocol.streams!;

  it('keeps the question flowing after the server has ended', async () => {
    const { server, side } = await startForOne(streams);
    const question = side.then(({ input, output }) => {
      output.end('bye');
      return read(input);
    });
    const client = await streams.open(await line.door(protocol, line.keep(server)));
    assert.equal((await read(client.input)).toString(), 'bye');
    client.output.end(Buffer.alloc(3 * MIB));
    assert.equal((await question).length, 3 * MIB);
    client.close?.();
  });
};
