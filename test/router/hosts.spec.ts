/** Routers on hosts of their own, whose cables are cut and mended while clients keep asking. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { SiteStatus } from '../../runtime/api/types.ts';
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
      await this.sites.link(this.all[a]!, this.all[b]!, { at: cable.farOf(this.host(b)) });
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
    return this.load(to);
  }

  async load(at: number): Promise<HostProgram> {
    const load = new HostProgram(this.host(at), 'load', String(await this.all[at]!.listen('echo')));
    this.programs.push(load);
    return load;
  }

  /**
   * Until every site says of every other that can be reached how many neighbours it has, as `neighbors` does; undefined: that site cannot
   * be reached. `except` is not asked.
   */
  async agree(neighbors: (name: string) => number | undefined, except?: number): Promise<void> {
    const isTrue = ({ name, reachable, neighbors: known }: SiteStatus) =>
      neighbors(name) === undefined ? !reachable : reachable && known.length === neighbors(name);
    const asked = this.all.filter((_, at) => at !== except);
    await Promise.all(
      asked.map((site) => site.status('the truth', ({ sites }) => sites.length === this.all.length && sites.every(isTrue))),
    );
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
    await load.noteFromHere();
    await load.prints('ok host-0', 200);
    assert.deepEqual(failuresOf([load]), []);
  });

  it('comes back to the short way when it is mended', async () => {
    world.cables.get('0-1')!.mend();
    // While tables disagree a router may send a stream back where it came from, which refuses it.
    await world.agree(() => 2);
    await load.noteFromHere();
    await load.prints('ok host-0', 200);
    assert.deepEqual(failuresOf([load]), []);
  });
});

describe('six hosts, each with a cable to every other, under load at every one', { skip: whyNoHosts() }, () => {
  const world = new World();
  const loads: HostProgram[] = [];
  before(async () => {
    const all = [0, 1, 2, 3, 4, 5];
    await world.build(
      6,
      all.flatMap((a) => all.slice(a + 1).map((b): [number, number] => [a, b])),
    );
    loads.push(await world.serve(0, 1));
    for (const at of [2, 3, 4, 5]) loads.push(await world.load(at));
    await Promise.all(loads.map((load) => load.prints('ok host-0', 20)));
  });
  after(() => world.stop());

  it('notice a cut cable only where it was in use, and there go round it', async () => {
    for (const load of loads) load.lines = [];
    const begun = performance.now();
    world.cables.get('0-1')!.cut();
    await world.agree((name) => (/host-[01]$/.test(name) ? 4 : 5));
    console.log(`# known everywhere ${Math.round(performance.now() - begun)} ms after the cut`);
    assert.deepEqual(failuresOf(loads.slice(1)), [], 'those whose way it was not');
    await loads[0]!.noteFromHere();
    await Promise.all(loads.map((load) => load.prints('ok host-0', 100)));
    assert.deepEqual(failuresOf(loads), []);
    world.cables.get('0-1')!.mend();
    await world.agree(() => 5);
  });

  it('do not notice that a router crashes, hangs or starts anew where nothing of theirs passes', async () => {
    const others = loads.filter((_, at) => at !== 2);
    const crashed = world.all[3]!;
    for (const load of others) load.lines = [];
    await crashed.kill();
    await world.agree((name) => (name === 'host-3' ? undefined : 4), 3);
    await crashed.start();
    await world.agree(() => 5);
    world.all[3]!.freeze();
    const frozen = performance.now();
    await world.agree((name) => (name === 'host-3' ? undefined : 4), 3);
    console.log(`# a router that hangs was given up everywhere after ${Math.round(performance.now() - frozen)} ms`);
    world.all[3]!.wake();
    await world.agree(() => 5);
    await Promise.all(others.map((load) => load.prints('ok host-0', 100)));
    assert.deepEqual(failuresOf(others), []);
    // The system may have chosen another port for the site that started anew.
    const again = await world.load(3);
    await again.prints('ok host-0', 100);
    assert.deepEqual(failuresOf([again]), [], 'and its own clients are served again');
  });
});

function failuresOf(loads: readonly HostProgram[]): string[] {
  return loads.flatMap(({ lines }) => lines.filter((line) => line.startsWith('failed')));
}

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
    assert.deepEqual(failuresOf([load]), []);
  });
});
