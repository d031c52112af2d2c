import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from '../views/row.ts';
import { draggedSite, droppedEnds } from './dragged-sites.ts';
import type { SiteRef } from './site-ref.ts';

const west: SiteRef = { where: 'cluster', context: 'west', namespace: 'shop' };
const east: SiteRef = { where: 'cluster', context: 'east', namespace: 'shop' };
const laptop: SiteRef = { where: 'local', name: 'laptop', socket: '/l' };
const row = (flags: string, site?: SiteRef): Row => ({
  id: flags,
  label: '',
  icon: ['x'],
  flags,
  ...(site ? { target: { site } } : {}),
});

test('a site can be dragged onto another one', () => {
  assert.equal(draggedSite([row('site.cluster.live', west)]), west);
  assert.deepEqual(droppedEnds(west, row('site.cluster.pending', east)), [west, east]);
  assert.deepEqual(droppedEnds(west, row('site.laptop.live', laptop)), [west, laptop]);
});

test('nothing else can be dragged', () => {
  for (const rows of [[], [row('context.answered')], [row('link.outgoing.up', west)], [row('site.demo.live', laptop)]])
    assert.equal(draggedSite(rows), undefined);
  assert.equal(draggedSite([row('site.cluster.live', west), row('site.cluster.live', east)]), undefined);
});

test('a drop beside a site, or onto the same one, does nothing', () => {
  for (const target of [undefined, row('namespace'), row('link.outgoing.up', east), row('site.cluster.live', { ...west })])
    assert.equal(droppedEnds(west, target), undefined);
});

test('a drag that brought no site does nothing', () => {
  for (const dragged of [undefined, null, '{"id":"caravan.sites","itemHandles":["0/0"]}', {}])
    assert.equal(droppedEnds(dragged, row('site.cluster.live', east)), undefined);
});
