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
      const { certificates, siteIds } = await issued.revoke(site, new Date());
      assert.deepEqual({ certificates, siteIds }, { certificates: 2, siteIds: ['west-id'] });
      for (const list of [issued, await IssuedCertificates.load(store)]) {
        assert.ok(!list.admits('01', 'west-id'));
        assert.ok(!list.admits('02', 'west-id'));
        assert.ok(list.admits('03', 'east-id'));
      }
      assert.deepEqual(await issued.revoke(site, new Date()), { certificates: 0, siteIds: ['west-id'] });
      await add('05', 'west-id', 'west');
      assert.ok(issued.admits('05', 'west-id'), 'a new token lets it in again');
    });

  it('are not those of a site that was never let in', async () => {
    assert.deepEqual(await issued.revoke('nobody', new Date()), { certificates: 0, siteIds: [] });
  });
});
