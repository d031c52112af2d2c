/** One link for a bulk stream and small requests: what the bulk has on its way is what the small ones stand behind. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { NarrowPath } from '../support/narrow-path.ts';
import { dial, TestServer } from '../support/tcp.ts';
import { until } from '../support/until.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

/** 100 Mbit/s, in bytes a millisecond. */
const RATE = 12_500;
const QUESTIONS = 300;
const BULK_BYTES = 48 * 1024 * 1024;

describe('a link of 100 Mbit/s', () => {
  let sites: SiteProcesses;
  let far: SiteProcess;
  let here: SiteProcess;
  let path: NarrowPath;
  let echo: TestServer;
  let sink: TestServer;
  let received = 0;
  let echoPort: number;
  let sinkPort: number;

  before(async () => {
    sites = await SiteProcesses.make();
    [far, here] = await sites.start('far', 'here');
    const access = await far.status('its way in', (status) => status.access[0]);
    path = await NarrowPath.open(access.port, RATE);
    await sites.link(far, here, { through: path.port });
    echo = await TestServer.start((socket) => socket.on('data', (question) => socket.write(question)));
    sink = await TestServer.start((socket) => socket.on('data', (chunk) => (received += chunk.length)));
    await far.api.expose({ address: 'echo', port: echo.port });
    await far.api.expose({ address: 'sink', port: sink.port });
    [echoPort, sinkPort] = [await here.listen('echo'), await here.listen('sink')];
  });
  after(async () => {
    await sites.stop();
    await Promise.all([path.stop(), echo.stop(), sink.stop()]);
  });

  it('answers small requests while a bulk stream fills it: hardly anything stands before the narrow place', async () => {
    const idle = await percentiles(QUESTIONS);
    const bulk = dial(sinkPort);
    fill(bulk);
    await until('the bulk to flow', () => received > BULK_BYTES / 8);
    path.mostQueued = 0;
    const busy = await percentiles(QUESTIONS);
    const stood = path.mostQueued;
    console.log(
      `# p50 and p99 of ${QUESTIONS} requests: idle ${idle.join(' and ')} ms, beside the bulk ${busy.join(' and ')} ms`,
    );
    console.log(`# at most ${(stood / 1024).toFixed(0)} KiB stood before the narrow place`);
    // What the system's buffers would take otherwise is several MiB: half a second and more.
    assert.ok(stood < 512 * 1024, `${stood} bytes stood before the narrow place`);
    await until('the bulk to go on', () => received > BULK_BYTES, { timeoutMs: 60_000 });
    bulk.destroy();
  });

  /** Milliseconds of one request after another: p50 and p99. */
  async function percentiles(count: number): Promise<[string, string]> {
    const client = dial(echoPort);
    const times: number[] = [];
    for (let at = 0; at < count; at++) {
      const begun = performance.now();
      await new Promise<void>((resolve) => {
        client.once('data', () => resolve());
        client.write('a small question');
      });
      times.push(performance.now() - begun);
    }
    client.destroy();
    times.sort((a, b) => a - b);
    const at = (part: number) => times[Math.floor(part * (count - 1))]!.toFixed(1);
    return [at(0.5), at(0.99)];
  }

  function fill(socket: Socket): void {
    const chunk = Buffer.alloc(256 * 1024);
    while (!socket.destroyed && socket.write(chunk));
    socket.once('drain', () => fill(socket));
  }
});
