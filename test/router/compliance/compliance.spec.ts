/** What every protocol must keep, through 0, 1 and 3 routers in between: the same suite each time. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { CHECK_NAMES, CHECKS, WAITING } from './checks.ts';
import { Line } from './line.ts';
import { PROTOCOLS } from './protocols.ts';
import { table } from './table.ts';

const secrets = PROTOCOLS.flatMap(({ listener, connector }) => [...(listener?.secrets ?? []), ...(connector?.secrets ?? [])]);

it('is described by the table in docs/compliance.md', async () => {
  const docs = await readFile(new URL('../../../docs/compliance.md', import.meta.url), 'utf8');
  assert.ok(docs.includes(table()), `the table is now:\n${table()}`);
});

for (const transit of [0, 1, 3])
  describe(`through ${transit} transit routers`, () => {
    const line = new Line(transit, secrets);
    before(() => line.start());
    after(() => line.stop());

    for (const name of CHECK_NAMES)
      describe(name, { concurrency: WAITING.has(name) ? PROTOCOLS.length : 1 }, () => {
        for (const protocol of PROTOCOLS)
          if (protocol.omits[name] === undefined)
            describe(protocol.name, { concurrency: WAITING.has(name) ? true : 1 }, () => CHECKS[name](line, protocol));
      });
  });
