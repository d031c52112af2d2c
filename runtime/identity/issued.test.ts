import assert from 'node:assert/strict';
import { beforeEach, describe, it, mock } from 'node:test';
import { MemoryStore } from '../../test/support/memory-store.ts';
import { type Issued, IssuedCertificates } from './issued.ts';

let store: MemoryStore;
let issued: IssuedCertificates;

beforeEach(async () => {
  store = new MemoryStore();
  issued = await IssuedCertificates.load(store);
  await add('01', 'west-id', 'west');
  await add('02', 'west-id', 'west');
  await add('03', 'east-id', 'east');
});

function add(serial: string, siteId: string, siteName: string, times: Partial<Issued> = {}): Promise<void> {
  const year = { issued: '2026-01-01T00:00:00.000Z', expires: '2027-01-01T00:00:00.000Z' };
  return issued.add({ serial, siteId, siteName, ...year, ...times });
}

describe('the certificates that a site issued', () => {
  it('let in their own site only', () => {
    assert.ok(issued.admits('01', 'west-id'));
    assert.ok(!issued.admits('01', 'east-id'), 'a serial belongs to one site');
    assert.ok(!issued.admits('04', 'west-id'), 'never issued');
  });

  it('are revoked all at once, alone, and stay so', async () => {
    assert.equal(await issued.revoke('west-id', new Date()), 2);
    for (const list of [issued, await IssuedCertificates.load(store)]) {
      assert.ok(!list.admits('01', 'west-id'));
      assert.ok(!list.admits('02', 'west-id'));
      assert.ok(list.admits('03', 'east-id'));
      assert.deepEqual([list.isRevoked('west-id'), list.isRevoked('east-id')], [true, false]);
    }
    assert.equal(await issued.revoke('west-id', new Date()), 0);
  });

  it('are revoked from the call on, whether or not that can be kept', async () => {
    store.broken = 'issued';
    const revoking = issued.revoke('west-id', new Date());
    assert.deepEqual([issued.admits('01', 'west-id'), issued.isRevoked('west-id')], [false, true]);
    await assert.rejects(revoking, /no space left/);
    store.broken = undefined;
    await issued.revoke('west-id', new Date());
    assert.ok(!(await IssuedCertificates.load(store)).admits('01', 'west-id'), 'the next call keeps it');
  });

  it('let nobody in where they could not be kept', async () => {
    store.broken = 'issued';
    await assert.rejects(add('06', 'west-id', 'west'), /no space left/);
    assert.ok(!issued.admits('06', 'west-id'));
  });

  it('are all kept, in whatever order the store is done with them', async () => {
    const slow = new SlowFirstWrite();
    const list = await IssuedCertificates.load(slow);
    const times = { issued: '2026-01-01T00:00:00.000Z', expires: '2027-01-01T00:00:00.000Z' };
    const first = list.add({ serial: '01', siteId: 'west-id', siteName: 'west', ...times });
    await new Promise((resolve) => setImmediate(resolve)); // it is being written
    await Promise.all([first, list.revoke('west-id', new Date())]);
    assert.ok(!(await IssuedCertificates.load(slow)).admits('01', 'west-id'));
  });

  it('are found by the id of their site, else by its name, which several may have', async () => {
    const since = '2025-03-01T00:00:00.000Z';
    await add('04', 'other-id', 'west', { since });
    await add('05', 'liar-id', 'other-id');
    issued.saw('02', new Date('2026-05-01T10:00:00Z'));
    const first = { siteId: 'west-id', since: '2026-01-01T00:00:00.000Z', seen: '2026-05-01T10:00:00.000Z', isRevoked: false };
    const other = { siteId: 'other-id', since, seen: undefined, isRevoked: false };
    assert.deepEqual(issued.sitesOf('west'), [first, other]);
    assert.deepEqual(issued.sitesOf('other-id'), [other], 'no site hides behind the name of another');
  });

  it('tell until when a site is let in', async () => {
    await add('04', 'west-id', 'west', { expires: '2027-09-01T00:00:00.000Z' });
    assert.equal(issued.endOf('west-id'), '2027-09-01T00:00:00.000Z');
    await issued.revoke('west-id', new Date());
    assert.equal(issued.endOf('west-id'), undefined);
  });

  it('remember the day on which each was used, and write that once a day', async () => {
    const write = mock.method(store, 'write');
    for (const time of ['2026-05-01T10:00:00Z', '2026-05-01T11:00:00Z', '2026-05-02T10:00:00Z']) {
      issued.saw('03', new Date(time));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(write.mock.callCount(), 2);
    assert.equal((await IssuedCertificates.load(store)).sitesOf('east')[0]?.seen, '2026-05-02T10:00:00.000Z');
  });

  it('are forgotten a month after their end, but not that a site was revoked', async () => {
    await issued.revoke('west-id', new Date());
    await add('04', 'north-id', 'north', { issued: '2027-01-20T00:00:00.000Z', expires: '2028-01-20T00:00:00.000Z' });
    assert.ok(issued.admits('03', 'east-id'), 'what TLS says of one that has ended is its own matter');
    await add('05', 'north-id', 'north', { issued: '2027-02-02T00:00:00.000Z', expires: '2028-02-02T00:00:00.000Z' });
    const kept = JSON.parse(store.entries.get('issued')!) as Issued[];
    assert.deepEqual(
      kept.map(({ serial }) => serial),
      ['02', '04', '05'],
    );
    assert.ok(issued.isRevoked('west-id'));
  });

  it('are few of one site, however many it asks for', async () => {
    for (let count = 10; count < 60; count++) await add(String(count), 'east-id', 'east');
    const kept = JSON.parse(store.entries.get('issued')!) as Issued[];
    assert.deepEqual([kept.length, kept.at(-1)?.serial], [2 + 32, '59']);
  });

  it('are not those of a site that was never let in', async () => {
    assert.deepEqual([await issued.revoke('nobody', new Date()), issued.sitesOf('nobody')], [0, []]);
  });
});

class SlowFirstWrite extends MemoryStore {
  #writes = 0;
  override async write(name: string, text: string): Promise<void> {
    if (this.#writes++ === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    await super.write(name, text);
  }
}
