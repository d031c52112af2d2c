import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MemoryStore } from '../../test/support/memory-store.ts';
import { commonName } from './certificates.ts';
import { loadIdentity } from './identity.ts';

it('a site stays who it is from run to run, and is no other', async () => {
  const store = new MemoryStore();
  const [first, other] = await Promise.all([loadIdentity(store), loadIdentity(new MemoryStore())]);
  assert.deepEqual(await loadIdentity(store), first);
  assert.notEqual(other.siteId, first.siteId);
  assert.equal(commonName(first.authority.certificate), first.siteId);
  assert.equal(commonName(first.server.certificate), first.siteId);
});
