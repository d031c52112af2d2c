/** iperf3: its control connection is of TCP, its measurement of TCP or UDP, at one port. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import { Pair, run, whyNot } from './pair.ts';

const MIB = 1024 * 1024;
const skip = await whyNot({ iperf3: 'iperf3' });

interface Report {
  error?: string;
  end: { sum_sent: { bytes: number }; sum_received: { bytes: number }; sum: { packets: number; lost_packets: number } };
}

describe('iperf3', { skip }, () => {
  let pair: Pair;
  let port: number;

  before(async () => {
    pair = await Pair.start();
    const server = await freePort();
    await pair.serve('iperf3', ['-s', '-B', '127.0.0.1', '-p', String(server)], server, { stdio: 'ignore' });
    port = await pair.carryBoth('iperf3', server);
  });
  after(() => pair.stop());

  async function measure(...args: string[]): Promise<Report['end']> {
    const report = await until('the server to be done with the measurement before', async () => {
      const told = JSON.parse(await run('iperf3', ['-c', '127.0.0.1', '-p', String(port), '-J', ...args])) as Report;
      // Datagrams that come when it is done with theirs are refused, and for 5 s it is not offered to others then.
      return !/server is busy|Connection refused/.test(told.error ?? '') && told;
    });
    assert.equal(report.error, undefined);
    return report.end;
  }

  for (const [way, ...args] of [['to the server'], ['from the server', '-R'], ['on eight connections', '-P', '8']] as const)
    it(`carries 64 MiB of TCP ${way}`, async () => {
      const { sum_sent: sent, sum_received: received } = await measure('-n', String(64 * MIB), ...args);
      assert.ok(sent.bytes >= 64 * MIB, `${sent.bytes} bytes were sent`);
      // It counts until its control connection tells the end, which may overtake what is on its way on the others.
      assert.ok(received.bytes > 0);
    });

  for (const [way, ...args] of [['to the server'], ['from the server', '-R']] as const)
    it(`carries a stream of UDP ${way}`, async () => {
      const { sum } = await measure('-u', '-b', '8M', '-l', '1200', '-n', String(MIB), ...args);
      console.log(`# ${sum.lost_packets} of ${sum.packets} datagrams were lost`);
      assert.ok(sum.packets >= 800, `${sum.packets} datagrams`);
      // Both share two processors with everything else.
      assert.ok(sum.lost_packets <= sum.packets / 20, `${sum.lost_packets} of ${sum.packets} were lost`);
    });
});
