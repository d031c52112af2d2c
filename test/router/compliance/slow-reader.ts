import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Check } from './checks.ts';

const MIB = 1024 * 1024;
/** What passes by in the meantime. */
const OTHER = Buffer.alloc(8 * MIB);

export const slowReader: Check = (line, protocol) => {
  for (const direction of ['to the server', 'to the client'] as const)
    it(`holds up who sends ${direction} while nobody reads, and loses nothing`, async () => {
      const bound = protocol.bytesInFlight!;
      const total = bound + 32 * MIB;
      const other = await line.echo(protocol);
      const flood = line.keep(
        await protocol.flood!({ direction, total, at: line.far, offer: (port) => line.door(protocol, { port }) }),
      );
      let last: number;
      // Another exchange takes the same path: of a flood that could go on, something would.
      do {
        last = flood.accepted();
        await protocol.ask(other, OTHER);
      } while (last === 0 || flood.accepted() !== last);
      console.log(`# ${protocol.name}, ${direction}: ${(last / MIB).toFixed(1)} MiB were taken though nobody reads`);
      assert.ok(last <= bound, `${last} bytes were taken though nobody reads`);
      assert.ok((await flood.read()) >= total);
    });
};
