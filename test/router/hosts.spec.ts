/** Routers on hosts of their own, whose cables are cut and mended while clients keep asking. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HostProgram } from './host-program.ts';
import { type Cable, type Host, Hosts, whyNoHosts } from './hosts.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

/** Sites on hosts, each linked over a cable to those that `neighbors` names. */
class World {
  readonly hosts = new Hosts();
  readonly programs: HostProgram[] = [];
  readonly cables = new Map<string, Cable>();
  sites!: SiteProcesses;
  readonly all: SiteProcess[] = [];

  async build(count: number, wires: [number, number][]): Promise<void> {
    this.sites = await SiteProcesses.make();
    for (let at = 0; at < count; at++) this.all.push(await this.sites.startOn(this.hosts.add(), `host-${at}`));
    for (const [a, b] of wires) {
      const cable = this.hosts.connect(this.host(a), this.host(b));
      this.cables.set(`${a}-${b}`, cable);
      await this.sites.link(this.all[a]!, this.all[b]!, undefined, cable.farOf(this.host(b)));
    }
  }

  host(at: number): Host {
    return this.all[at]!.host!;
  }

  /** Offers `echo` at a site, and opens a port for it at another; resolves to a load on that port. */
  async serve(from: number, to: number): Promise<HostProgram> {
    const server = new HostProgram(this.host(from), 'echo', this.all[from]!.name);
    this.programs.push(server);
    await this.all[from]!.api.expose({ address: 'echo', port: Number(await server.prints('')) });
    const load = new HostProgram(this.host(to), 'load', String(await this.all[to]!.listen('echo')));
    this.programs.push(load);
    return load;
  }

  async stop(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.stop()));
    await this.sites.stop();
    this.hosts.stop();
  }
}

describe('six hosts in a ring', { skip: whyNoHosts() }, () => {
  const world = new World();
  let load: HostProgram;
  before(async () => {
    await world.build(
      6,
      [0, 1, 2, 3, 4, 5].map((at) => [at, (at + 1) % 6]),
    );
    load = await world.serve(0, 2);
    await load.prints('ok', 20);
  });
  after(() => world.stop());

  it('goes the other way round when a cable is cut, and fails nothing once it does', async () => {
    const begun = performance.now();
    world.cables.get('0-1')!.cut();
    await world.all[2]!.status('the longer way', ({ sites }) =>
      sites.every(({ name, neighbors }) => !/host-[01]$/.test(name) || neighbors.length === 1),
    );
    console.log(`# known at the far side ${Math.round(performance.now() - begun)} ms after the cut`);
    load.lines = [];
    await load.prints('ok host-0', 200);
    assert.deepEqual(
      load.lines.filter((line) => line.startsWith('failed')),
      [],
    );
  });

  it('comes back to the short way when it is mended', async () => {
    world.cables.get('0-1')!.mend();
    await world.all[2]!.status('the ring whole', ({ sites }) => sites.every(({ neighbors }) => neighbors.length === 2));
    load.lines = [];
    await load.prints('ok host-0', 200);
    assert.deepEqual(
      load.lines.filter((line) => line.startsWith('failed')),
      [],
    );
  });
});

describe('twelve hosts in a line', { skip: whyNoHosts() }, () => {
  const world = new World();
  before(() =>
    world.build(
      12,
      Array.from({ length: 11 }, (_, at) => [at, at + 1]),
    ),
  );
  after(() => world.stop());

  it('know a new service at the far end, and reach it', async () => {
    const begun = performance.now();
    await world.all[0]!.api.expose({ address: 'far', port: 9 });
    await world.all[11]!.status('the service', ({ services }) => services.some(({ address }) => address === 'far'));
    console.log(`# known twelve routers away after ${Math.round(performance.now() - begun)} ms`);
    const load = await world.serve(0, 11);
    await load.prints('ok host-0', 50);
    assert.deepEqual(
      load.lines.filter((line) => line.startsWith('failed')),
      [],
    );
  });
});
