import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { MemoryStore } from '../../test/support/memory-store.ts';
import { Grants } from './grants.ts';

let store: MemoryStore;
let grants: Grants;

beforeEach(async () => {
  store = new MemoryStore();
  grants = await Grants.load(store);
});

const nothing = () => Promise.resolve('in');

/** Changes what is kept of a grant, as time would. */
async function change(name: string, part: object): Promise<void> {
  const kept = JSON.parse((await store.read(`grants/${name}`))!) as object;
  await store.write(`grants/${name}`, JSON.stringify({ ...kept, ...part }));
}

describe('a grant', () => {
  it('lets in as many as it was made for', async () => {
    const { name, code } = await grants.make(60_000, 2);
    assert.equal(await grants.redeem(name, code, nothing), 'in');
    assert.equal(await (await Grants.load(store)).redeem(name, code, nothing), 'in', 'a restart forgets nothing');
    await assert.rejects(grants.redeem(name, code, nothing), {
      code: 'token-used-up',
      message: 'the token was used up just now (2 of 2). Ask for a new one: caravan token issue',
    });
  });

  it('is looked for in the store, and stands in line, for who holds its code only', async () => {
    const { name, code } = await grants.make(60_000, 2);
    let end!: () => void;
    let slow!: Promise<void>;
    await new Promise<void>((begun) => {
      const redemption = (resolve: () => void) => {
        end = resolve;
        begun();
      };
      slow = grants.redeem(name, code, () => new Promise<void>(redemption));
    });
    let reads = 0;
    const kept = store.read.bind(store);
    store.read = (entry) => {
      reads++;
      return kept(entry);
    };
    for (const guess of [name, '0123456789'])
      await assert.rejects(grants.redeem(guess, 'wrong', nothing), { code: 'token-unknown' });
    assert.equal(reads, 0);
    end();
    await slow;
  });

  it('is taken back by taking it out of the store', async () => {
    const { name, code } = await grants.make(60_000, 1);
    await store.remove(`grants/${name}`);
    await assert.rejects(grants.redeem(name, code, nothing), { code: 'token-unknown' });
  });

  it('says when it was used up', async () => {
    const { name, code } = await grants.make(60_000, 1);
    await change(name, { used: [new Date(Date.now() - 3 * 60_000).toISOString()] });
    await assert.rejects(grants.redeem(name, code, nothing), /used up 3 minutes ago \(1 of 1\)/);
  });

  it('expires', async () => {
    const { name, code } = await grants.make(60_000, 1);
    await change(name, { expires: new Date(Date.now() - 2 * 3_600_000).toISOString() });
    await assert.rejects(grants.redeem(name, code, nothing), {
      code: 'token-expired',
      message: 'the token expired 2 hours ago. Ask for a new one: caravan token issue',
    });
  });

  it('does not say to who has no code whether it exists, expired or was used up', async () => {
    const good = await grants.make(60_000, 1);
    const expired = await grants.make(60_000, 1);
    await change(expired.name, { expires: new Date(0).toISOString() });
    const usedUp = await grants.make(60_000, 1);
    await grants.redeem(usedUp.name, usedUp.code, nothing);
    for (const name of [good.name, expired.name, usedUp.name, '0123456789', '', '../identity', 'x'.repeat(1e5)])
      await assert.rejects(grants.redeem(name, 'wrong', nothing), {
        code: 'token-unknown',
        message: 'the token is not known to the site that it names. Ask for a new one: caravan token issue',
      });
    assert.equal(await grants.redeem(good.name, good.code, nothing), 'in', 'wrong guesses take no use');
  });

  it('keeps its code as a hash only', async () => {
    const { code } = await grants.make(60_000, 1);
    assert.ok(code.length >= 32);
    assert.ok(![...store.entries.values()].join('').includes(code));
  });

  it('loses no use to a redemption that fails', async () => {
    const { name, code } = await grants.make(60_000, 1);
    await assert.rejects(
      grants.redeem(name, code, () => Promise.reject(new Error('the disk is full'))),
      /disk is full/,
    );
    assert.equal(await grants.redeem(name, code, nothing), 'in');
  });

  it('gives its last use to one of many who come at once', async () => {
    const { name, code } = await grants.make(60_000, 3);
    let admitted = 0;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () => grants.redeem(name, code, async () => ++admitted)),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3);
    assert.equal(admitted, 3);
  });

  it('is forgotten a week after it expired, not before', async () => {
    const [old, recent] = [await grants.make(1, 1), await grants.make(1, 1)];
    await change(old.name, { expires: new Date(Date.now() - 8 * 86_400_000).toISOString() });
    await change(recent.name, { expires: new Date(Date.now() - 6 * 86_400_000).toISOString() });
    await (await Grants.load(store)).make(1, 1);
    assert.equal(await store.read(`grants/${old.name}`), undefined);
    assert.ok(await store.read(`grants/${recent.name}`));
  });
});
