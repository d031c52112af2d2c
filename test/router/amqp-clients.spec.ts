import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterEach, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Peer } from '../../runtime/protocols/amqp/peer.testkit.ts';
import { canInstallPackages, installPackages } from '../lab/packages.ts';
import { until } from '../support/until.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

/** The system's Python has Debian's modules; another one on PATH need not. */
const PYTHON = '/usr/bin/python3';
const PACKAGE = 'python3-qpid-proton';
const MODULE = '/usr/lib/python3/dist-packages/proton/__init__.py';
const PROGRAM = fileURLToPath(new URL('programs/proton-client.py', import.meta.url));

const missing = !existsSync(MODULE) && !canInstallPackages() && `there is no qpid-proton; as root: apt-get install -y ${PACKAGE}`;

describe('AMQP clients that were not written here (qpid-proton)', { skip: missing }, () => {
  let hubs: Hubs | undefined;
  let programs: Program[] = [];
  before(async () => {
    if (!existsSync(MODULE)) await installPackages([PACKAGE], console.log);
  });
  afterEach(async () => {
    for (const program of programs) await program.stop();
    programs = [];
    await hubs?.stop();
    hubs = undefined;
  });

  it('subscribed at three routers each get every message once', async () => {
    hubs = await Hubs.start('a', 'b', 'c');
    const subscribers = await Promise.all(['a', 'b', 'c'].map((at) => start('ready', 'receive', at, 'mc/news')));
    await hubs.known('b', 'mc/news', 2);
    await start('accepted 2000', 'send', 'b', 'mc/news', '2000');
    for (const subscriber of subscribers)
      assert.deepEqual(await subscriber.lines(2001), ['ready', ...range(2000).map((i) => `${i} 0`)]);
  });

  it('share the messages of one address', async () => {
    hubs = await Hubs.start('a', 'b', 'c');
    const workers = await Promise.all(['a', 'b', 'c', 'c'].map((at) => start('ready', 'receive', at, 'work')));
    await hubs.known('a', 'work', 2);
    await start('accepted 2000', 'send', 'a', 'work', '2000');
    const all = await until('all of them', () => {
      const bodies = workers.flatMap(({ output }) => output.slice(1));
      return bodies.length >= 2000 && bodies;
    });
    assert.deepEqual(
      all.map((line) => Number(line.split(' ')[0])).toSorted((a, b) => a - b),
      range(2000),
    );
    for (const { output } of workers) assert.ok(output.length > 1, 'one of them got nothing');
  });

  it('leave all messages to the closest one where the address says so, while it is there', async () => {
    hubs = await Hubs.start('a', 'b');
    const near = await start('ready', 'receive', 'a', 'closest/db');
    const far = await start('ready', 'receive', 'b', 'closest/db');
    await hubs.known('a', 'closest/db', 1);
    await start('accepted 50', 'send', 'a', 'closest/db', '50');
    assert.equal((await near.lines(51)).length, 51);
    assert.deepEqual(far.output, ['ready']);
    await near.stop();
    await start('accepted 5', 'send', 'a', 'closest/db', '5');
    assert.equal((await far.lines(6)).length, 6);
  });

  it('get the messages of one that died with them', async () => {
    hubs = await Hubs.start('a', 'b', 'c');
    const dying = await start('ready', 'receive', 'b', 'jobs', '--hold');
    const sender = await start(undefined, 'send', 'a', 'jobs', '5');
    await dying.lines(6);
    const heir = await start('ready', 'receive', 'c', 'jobs');
    await hubs.known('a', 'jobs', 2);
    dying.process.kill('SIGKILL');
    assert.deepEqual(await heir.lines(6), ['ready', '0 1', '1 1', '2 1', '3 1', '4 1']);
    assert.deepEqual(await sender.lines(1), ['accepted 5']);
  });

  it('get answers across routers', async () => {
    hubs = await Hubs.start('a', 'b');
    await start('ready', 'serve', 'b', 'service');
    const asking = await start('HELLO', 'ask', 'a', 'service', 'hello');
    assert.deepEqual(asking.output, ['HELLO']);
  });

  it('hear of each message what its receiver says', async () => {
    hubs = await Hubs.start('a', 'b');
    await start('ready', 'judge', 'b', 'picky');
    await hubs.known('a', 'picky', 1);
    const hearing = await start(undefined, 'hear', 'a', 'picky', 'accepted', 'rejected', 'released', 'modified', 'accepted');
    assert.deepEqual(await hearing.lines(5), [
      'ACCEPTED',
      'REJECTED app:no not this one',
      'RELEASED',
      "MODIFIED True True ('why', 'not here')",
      'ACCEPTED',
    ]);
  });

  it('take a message whose sender ends in the middle of it for none, and go on', async () => {
    hubs = await Hubs.start('a', 'b');
    const receiver = await start('ready', 'receive', 'b', 'files', '--trace');
    await hubs.known('a', 'files', 1);
    const dying = await Peer.open(hubs.port('a'));
    dying.send('files');
    await dying.credit();
    // The first of two sections of data: what has come could be taken for a whole message.
    dying.transfer(Buffer.concat([Buffer.of(0x00, 0x53, 0x75, 0xa0, 100), Buffer.alloc(100)]), { more: true });
    await until('its beginning at the receiver', () => receiver.errors.includes('more=true'));
    dying.socket.destroy();
    await until('its end', () => receiver.errors.includes('aborted=true'));
    await start('accepted 1', 'send', 'a', 'files', '1');
    assert.deepEqual(await receiver.lines(2), ['ready', '0 0']);
  });

  /** @param line It has printed this. */
  async function start(line: string | undefined, command: string, at: string, ...args: string[]): Promise<Program> {
    const program = new Program(command, `amqp://127.0.0.1:${hubs!.port(at)}`, ...args);
    programs.push(program);
    if (line !== undefined)
      await until(
        () => `${line}; it printed ${program.output.slice(-5).join(', ')} ${program.errors}`,
        () => program.output.includes(line),
      );
    return program;
  }
});

/** Sites that are linked through one in the middle, each with a listener for AMQP's clients. */
class Hubs {
  readonly #sites: SiteProcesses;
  readonly #named = new Map<string, { site: SiteProcess; port: number }>();

  private constructor(sites: SiteProcesses) {
    this.#sites = sites;
  }

  static async start(...names: string[]): Promise<Hubs> {
    const sites = await SiteProcesses.make();
    const hubs = new Hubs(sites);
    try {
      const [middle, ...others] = await sites.start('middle', ...names);
      for (const site of others) {
        await sites.link(middle, site);
        hubs.#named.set(site.name, { site, port: await site.listen('', 'amqp') });
      }
      return hubs;
    } catch (error) {
      await sites.stop();
      throw error;
    }
  }

  port(name: string): number {
    return this.#named.get(name)!.port;
  }

  /** Until a site knows of receivers of an address at so many other sites. */
  async known(name: string, address: string, count: number): Promise<void> {
    await this.#named.get(name)!.site.status(`${address} at ${count} other sites`, ({ services }) => {
      const destinations = services.find((service) => service.address === address)?.destinations ?? [];
      return new Set(destinations.map(({ site }) => site).filter((site) => site !== name)).size === count;
    });
  }

  stop(): Promise<void> {
    return this.#sites.stop();
  }
}

class Program {
  readonly process: ChildProcess;
  errors = '';
  #text = '';

  constructor(...args: string[]) {
    this.process = spawn(PYTHON, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout!.on('data', (text) => (this.#text += text));
    this.process.stderr!.on('data', (text) => (this.errors += text));
  }

  /** The whole lines that it has printed. */
  get output(): string[] {
    return this.#text.split('\n').slice(0, -1);
  }

  lines(count: number): Promise<string[]> {
    return until(
      () => `${count} lines; there are ${this.output.length} ${this.errors}`,
      () => this.output.length >= count && this.output,
    );
  }

  async stop(): Promise<void> {
    const { process } = this;
    if (process.exitCode !== null || process.signalCode !== null) return;
    const ended = new Promise((resolve) => process.once('exit', resolve));
    process.kill('SIGKILL');
    await ended;
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
