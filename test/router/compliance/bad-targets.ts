import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Check } from './checks.ts';
import { BAD_TARGETS } from './protocol.ts';
import { outOfReach } from './out-of-reach.ts';

const EXCHANGES = 6;

export const badTargets: Check = (line, protocol) => {
  for (const kind of protocol.badTargets ?? BAD_TARGETS)
    for (const [where, site] of [
      ['beside it', () => line.far],
      ['at another site', () => line.between],
    ] as const)
      it(`fails no exchange where one server is ${kind}, and another is ${where}`, async () => {
        const bad = line.keep(await outOfReach(kind));
        const good = line.keep(await protocol.startEcho(site()));
        const address = line.name(protocol);
        await line.offer(protocol, address, bad);
        await line.offer(protocol, address, { port: good.port, at: site() });
        // Else nothing but the bad one might be known yet. One that carries no messages is no receiver, and not known at all.
        await line.knows(address, protocol.type === 'amqp' ? 1 : 2);
        const { door } = await line.listen(protocol, address);
        const question = Buffer.from('hello');
        const answers = await Promise.all(Array.from({ length: EXCHANGES }, () => protocol.ask(door, question)));
        assert.deepEqual(
          answers,
          answers.map(() => question),
        );
      });
};
