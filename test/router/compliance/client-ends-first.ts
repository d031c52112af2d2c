import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Check } from './checks.ts';
import { read, startForOne } from './stream-protocol.ts';

const MIB = 1024 * 1024;

export const clientEndsFirst: Check = (line, protocol) => {
  const streams = protocol.streams!;

  it('keeps the answer flowing after the client has ended', async () => {
    const { server, side } = await startForOne(streams);
    void side.then(async ({ input, output }) => output.end(Buffer.alloc(2 * MIB, await read(input))));
    const client = await streams.open(await line.door(protocol, line.keep(server)));
    const answer = read(client.input);
    client.output.end('x');
    assert.ok((await answer).equals(Buffer.alloc(2 * MIB, 'x')));
    client.close?.();
  });
};
