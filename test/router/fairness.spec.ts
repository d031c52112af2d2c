/** One link for a bulk stream and small requests: what the bulk has on its way is what the small ones stand behind. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NarrowPath } from '../support/narrow-path.ts';
import { HostProgram } from './host-program.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

/** 100 Mbit/s, in bytes a millisecond. */
const RATE = 12_500;
const QUESTIONS = '500';
/** Of the bulk, before it is judged. Bytes. */
const WARM_BYTES = 8 * 1024 * 1024;

describe('a link of 100 Mbit/s', () => {
  let sites: SiteProcesses;
  let far: SiteProcess;
  let here: SiteProcess;
  let path: NarrowPath;
  const programs: HostProgram[] = [];

  before(async () => {
    sites = await SiteProcesses.make();
    [far, here] = await sites.start('far', 'here');
    const access = await far.status('its way in', (status) => status.access[0]);
    path = await NarrowPath.open(access.port, RATE);
    await sites.link(far, here, { through: path.port });
    for (const name of ['echo', 'sink'] as const)
      await far.api.expose({ address: name, port: Number(await run(name, '').prints('')) });
  });
  after(async () => {
    await Promise.all(programs.map((program) => program.stop()));
    await sites.stop();
    await path.stop();
  });

  it('answers small requests while a bulk stream fills it: hardly anything stands before the narrow place', async () => {
    const echo = String(await here.listen('echo'));
    const idle = await run('latency', echo, QUESTIONS).prints('');
    run('bulk', String(await here.listen('sink')));
    const carried = await carriedBytes();
    await far.status('the bulk to flow', ({ links }) => (links[0]?.bytesIn ?? 0) > carried + WARM_BYTES);
    path.mostQueued = 0;
    const busy = await run('latency', echo, QUESTIONS).prints('');
    const stood = path.mostQueued;
    console.log(`# p50 and p99 of ${QUESTIONS} requests, milliseconds: ${idle} on the idle link, ${busy} beside the bulk`);
    console.log(`# at most ${(stood / 1024).toFixed(0)} KiB stood before the narrow place`);
    // What the system's buffers would take otherwise is several MiB: half a second and more.
    assert.ok(stood < 512 * 1024, `${stood} bytes stood before the narrow place`);
    assert.ok((await carriedBytes()) > carried + WARM_BYTES, 'and the bulk went on meanwhile');
  });

  function carriedBytes(): Promise<number> {
    return far.status('the link', ({ links }) => links[0]?.bytesIn);
  }

  function run(...args: ConstructorParameters<typeof HostProgram> extends [unknown, ...infer Rest] ? Rest : never): HostProgram {
    const program = new HostProgram(undefined, ...args);
    programs.push(program);
    return program;
  }
});
