import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mergeRows } from './merge-rows.ts';
import { GOOD, type Row } from './row.ts';

function row(id: string, more: Partial<Row> = {}): Row {
  return { id, label: id, icon: GOOD, flags: 'site', ...more };
}

describe('rows that are shown', () => {
  it('stay the same objects, and only what changed is drawn again', () => {
    const [link, east] = [row('link', { description: 'up' }), row('east')];
    const west = row('west', { children: [link] });
    const merged = mergeRows([west, east], [row('west', { children: [row('link', { description: 'down' })] }), row('east')]);
    assert.equal(merged.isSameList, true);
    assert.deepEqual(merged.rows, [west, east]);
    assert.equal(merged.rows[0], west);
    assert.equal(west.children?.[0], link);
    assert.equal(link.description, 'down');
    assert.deepEqual(merged.changed, [link]);
  });

  it('lose what they no longer have', () => {
    const west = row('west', { description: 'not ready', target: { context: 'a' } });
    assert.deepEqual(mergeRows([west], [row('west')]).changed, [west]);
    assert.deepEqual(west, row('west'));
  });

  it('are drawn again with all that is below when something comes, goes or moves there', () => {
    for (const below of [[], ['a'], ['a', 'b', 'c'], ['b', 'a']]) {
      const [a, b] = [row('a'), row('b')];
      const west = row('west', { children: [a, b] });
      const site = row('site', { children: [west] });
      const next = row('west', { children: [...below, 'last'].map((id) => row(id)) });
      const { changed, isSameList } = mergeRows([site], [row('site', { children: [next] })]);
      assert.equal(isSameList, true);
      assert.deepEqual(changed, [west]);
      assert.deepEqual(
        west.children?.map(({ id }) => id),
        [...below, 'last'],
      );
      if (below.includes('a')) assert.ok(west.children?.includes(a));
    }
  });

  it('are others where one gets its first children: an item that was closed would stay so', () => {
    const west = row('west');
    const merged = mergeRows([west], [row('west', { children: [row('link')] })]);
    assert.equal(merged.isSameList, false);
    assert.notEqual(merged.rows[0], west);
  });

  it('change nothing where nothing changed', () => {
    const rows = () => [row('west', { children: [row('link', { target: { address: 'x' } })] }), row('east')];
    const { changed, isSameList } = mergeRows(rows(), rows());
    assert.deepEqual({ changed, isSameList }, { changed: [], isSameList: true });
  });
});
