import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { MemoryStore } from '../../test/support/memory-store.ts';
import { IssuedCertificates } from './issued.ts';

let store: MemoryStore;
let issued: IssuedCertificates;

beforeEach(async () => {
  store = new MemoryStore();
  issued = await IssuedCertificates.load(store);
  await add('01', 'west-id', 'west');
  await add('02', 'west-id', 'west');
  await add('03', 'east-id', 'east');
});

function add(serial: string, siteId: string, siteName: string): Promise<void> {
  return issued.add({ serial, siteId, siteName, issued: '2026-01-01T00:00:00.000Z', expires: '2027-01-01T00:00:00.000Z' });
}

describe('the certificates that a site issued', () => {
  it('let in their own site only', () => {
    assert.ok(issued.admits('01', 'west-id'));
    assert.ok(!issued.admits('01', 'east-id'), 'a serial belongs to one site');
    assert.ok(!issued.admits('04', 'west-id'), 'never issued');
  });

  for (const site of ['west', 'west-id'])
    it(`are revoked all at once by ${site}, alone, and stay so`, async () => {
      assert.deepEqual(issued.siteIdsOf(site), ['west-id']);
      assert.equal(await issued.revoke(site, new Date()), 2);
      for (const list of [issued, await IssuedCertificates.load(store)]) {
        assert.ok(!list.admits('01', 'west-id'));
        assert.ok(!list.admits('02', 'west-id'));
        assert.ok(list.admits('03', 'east-id'));
        assert.deepEqual([list.isRevoked('west-id'), list.isRevoked('east-id')], [true, false]);
      }
      assert.equal(await issued.revoke(site, new Date()), 0);
    });

  it('are revoked from the call on, whether or not that can be kept', async () => {
    store.broken = 'issued';
    const revoking = issued.revoke('west', new Date());
    assert.deepEqual([issued.admits('01', 'west-id'), issued.isRevoked('west-id')], [false, true]);
    await assert.rejects(revoking, /no space left/);
    store.broken = undefined;
    await issued.revoke('west', new Date());
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
    await Promise.all([first, list.revoke('west', new Date())]);
    assert.ok(!(await IssuedCertificates.load(slow)).admits('01', 'west-id'));
  });

  it('are not those of a site that was never let in', async () => {
    assert.deepEqual([await issued.revoke('nobody', new Date()), issued.siteIdsOf('nobody')], [0, []]);
  });
});

class SlowFirstWrite extends MemoryStore {
  #writes = 0;
  override async write(name: string, text: string): Promise<void> {
    if (this.#writes++ === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    await super.write(name, text);
  }
}
