import assert from 'node:assert/strict';
import { type MockTimers, test, type TestContext } from 'node:test';
import { apiError } from '../api-errors.ts';
import type { ClusterClient } from '../client.ts';
import { toService } from './proxy-service.ts';
import { FIRST_RETRY_MS, LAST_RETRY_MS, ServiceWriter } from './service-writer.ts';
import type { Writes } from './writes.ts';

const WEBHOOK = apiError(403, JSON.stringify({ message: 'admission webhook "names" denied the request' }), 'c');
const QUOTA = apiError(
  403,
  JSON.stringify({ message: 'services "x" is forbidden: exceeded quota: small, requested: services=1' }),
  'c',
);

/** A writer whose cluster refuses as a test says, and a namespace that wants some Services at all times. */
class World {
  refuses: (name: string) => Error | undefined = () => undefined;
  tried: string[] = [];
  wanted: string[] = [];
  unwanted: string[] = [];
  port = 80;
  readonly made = new Set<string>();
  readonly writer: ServiceWriter;
  readonly timers: MockTimers;

  constructor({ mock: { timers } }: TestContext) {
    timers.enable({ apis: ['setTimeout', 'Date'] });
    this.timers = timers;
    const create: Partial<ClusterClient> = {
      create: (_namespace, object) => {
        const { name } = object.metadata;
        this.tried.push(name);
        const refusal = this.refuses(name);
        if (refusal) return Promise.reject(refusal);
        this.made.add(name);
        return Promise.resolve(object);
      },
      delete: (_kind, _namespace, name) => {
        this.made.delete(name);
        return Promise.resolve();
      },
    };
    this.writer = new ServiceWriter(create as ClusterClient, 'shop', () => this.plan());
  }

  plan(): void {
    const missing = this.wanted.filter((name) => !this.made.has(name));
    const create: Writes['create'] = missing.map((address) => toService({ address, type: 'tcp', ports: [[this.port, 10_000]] }));
    const remove = this.unwanted.filter((name) => this.made.has(name)).map((name) => ({ name, seen: {} }));
    this.writer.write({ create, patches: [], remove });
  }

  /** What was tried since, once all that was planned is done. */
  async after(milliseconds: number): Promise<string> {
    this.timers.tick(milliseconds);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    return this.tried.splice(0).join();
  }
}

test('what is refused is tried again after ever longer, and the others are not kept from it', async (context) => {
  const world = new World(context);
  world.refuses = (name) => (name === 'bad' ? WEBHOOK : undefined);
  world.wanted = ['bad', 'good'];
  world.plan();
  assert.equal(await world.after(0), 'bad,good');
  const message = 'Admission webhook "names" denied the request (c).';
  assert.deepEqual(world.writer.problems, [{ where: 'Service bad', message }]);
  let pause = FIRST_RETRY_MS;
  for (let time = 0; time < 8; time++) {
    world.plan();
    assert.equal(await world.after(pause - 1), '', `the pause of ${pause} ms`);
    assert.equal(await world.after(1), 'bad');
    pause = Math.min(2 * pause, LAST_RETRY_MS);
  }
  assert.equal(pause, LAST_RETRY_MS);
  world.port = 81;
  world.plan();
  assert.equal(await world.after(0), 'bad', 'at once, since it is something else');
  world.wanted = [];
  world.plan();
  await world.after(0);
  assert.deepEqual(world.writer.problems, []);
  await world.writer.close();
});

test('a conflict is no failure where the Service is there, and one where the quota was counted for another meanwhile', async (context) => {
  const world = new World(context);
  const message = 'Operation cannot be fulfilled on resourcequotas "small": the object has been modified';
  const conflict = (reason: string) => apiError(409, JSON.stringify({ message, reason }), 'c');
  world.refuses = (name) => {
    if (name !== 'there') return conflict('Conflict');
    // As the watch tells.
    world.made.add(name);
    return conflict('AlreadyExists');
  };
  world.wanted = ['there', 'counted', 'other'];
  world.plan();
  assert.equal(await world.after(0), 'there,counted,other', 'each may be made alone');
  assert.deepEqual(world.writer.problems, [
    { where: 'Service counted', message: `${message} (c).` },
    { where: 'Service other', message: `${message} (c).` },
  ]);
  world.refuses = () => undefined;
  assert.equal(await world.after(FIRST_RETRY_MS), 'counted,other', 'though no event came');
  assert.deepEqual(world.writer.problems, []);
  await world.writer.close();
});

test('over quota one is tried for all, which are one problem', async (context) => {
  const world = new World(context);
  const quota = (most: number) => () => (world.made.size >= most ? QUOTA : undefined);
  world.refuses = quota(1);
  world.wanted = ['a', 'b', 'c', 'd'];
  world.plan();
  assert.equal(await world.after(0), 'a,b');
  assert.deepEqual(world.writer.problems, [
    {
      where: 'Namespace shop',
      message:
        'The quota small allows no more Services, so pods of this namespace do not reach b and 2 others by name; raise it.',
    },
  ]);
  assert.equal(await world.after(FIRST_RETRY_MS), 'b');
  world.wanted.push('e');
  world.plan();
  assert.equal(await world.after(FIRST_RETRY_MS), '');
  assert.match(world.writer.problems[0]!.message, / do not reach b and 3 others by name; /, 'also what came meanwhile');
  world.refuses = quota(9);
  assert.equal(await world.after(FIRST_RETRY_MS), 'b,c,d,e');
  assert.deepEqual(world.writer.problems, []);
  await world.writer.close();
});

test('a Service that goes makes room for others of the quota, as soon as the cluster has counted again', async (context) => {
  const world = new World(context);
  let used = 1;
  world.refuses = () => (used >= 1 ? QUOTA : undefined);
  world.made.add('a');
  world.wanted = ['b'];
  world.plan();
  await world.after(0);
  for (let time = 0; time < 9; time++) await world.after(LAST_RETRY_MS);
  world.unwanted = ['a'];
  world.plan();
  assert.equal(await world.after(0), 'b');
  used = 0;
  assert.equal(await world.after(FIRST_RETRY_MS), 'b');
  assert.deepEqual(world.writer.problems, []);
  await world.writer.close();
});
