import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { distributionOf, replyAddress, replyRouter } from './addresses.ts';

describe('addresses', () => {
  it('say by their prefix how their messages go out', () => {
    for (const [address, distribution] of [
      ['mc/news', 'multicast'],
      ['mc.news', 'multicast'],
      ['mcnews', 'balanced'],
      ['closest/db', 'closest'],
      ['closest', 'closest'],
      ['orders', 'balanced'],
    ] as const)
      assert.equal(distributionOf(address), distribution);
  });

  it('for replies lead back to their router, whatever its id', () => {
    const address = replyAddress('site/router 1');
    assert.equal(replyRouter(address), 'site/router 1');
    assert.notEqual(replyAddress('site/router 1'), address);
    assert.equal(replyRouter('orders'), undefined);
    assert.equal(replyRouter('_reply/%zz/x'), undefined);
  });
});
