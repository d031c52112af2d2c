import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Check } from './checks.ts';
import { BAD_TARGETS } from './protocol.ts';
import { outOfReach } from './out-of-reach.ts';

export const reasonsOfFailure: Check = (line, protocol) => {
  for (const kind of BAD_TARGETS)
    it(`are told to a client whose only server is ${kind}`, async () => {
      const address = line.name(protocol);
      await line.offer(protocol, address, line.keep(await outOfReach(kind)));
      const { door } = await line.listen(protocol, address);
      const learned = protocol.failure
        ? await protocol.failure(door)
        : await protocol.ask(door, Buffer.from('hello')).then(() => 'an answer', String);
      assert.match(String(learned), protocol.learns![kind]);
    });
};
