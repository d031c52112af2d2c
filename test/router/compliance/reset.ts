import { once } from 'node:events';
import { it } from 'node:test';
import type { Check } from './checks.ts';
import { brokenOff, startForOne } from './stream-protocol.ts';

export const reset: Check = (line, protocol) => {
  const streams = protocol.streams!;

  for (const [breaks, learns] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const)
    it(`tells the ${learns} that the ${breaks} broke off`, async () => {
      const { server, side } = await startForOne(streams);
      const client = await streams.open(await line.door(protocol, line.keep(server)));
      client.output.write('from the client');
      const sides = { client, server: await side };
      sides.server.output.write('from the server');
      // Both have begun.
      await Promise.all([once(client.input, 'data'), once(sides.server.input, 'data')]);
      const outcome = brokenOff(sides[learns].input);
      sides[breaks].reset();
      await outcome;
      client.close?.();
    });
};
