/** docs/performance.md as a run writes it. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { writePerformancePage } from './performance-page.ts';
import { judge, type Report } from './report.ts';
import { tcpOneStream } from './rows/tcp-throughput.ts';
import { sampleOf } from './statistics.ts';

describe('docs/performance.md', () => {
  let docs: string;
  beforeEach(async () => {
    docs = await mkdtemp(join(tmpdir(), 'caravan-page-'));
  });
  afterEach(() => rm(docs, { recursive: true }));

  it('has the medians with their spread, the ratio of the rounds, and what is missing and why', async () => {
    const page = await readFile(await writePerformancePage(report(), docs), 'utf8');
    const row = page.split('\n').find((line) => line.startsWith('| TCP, one stream'))!;
    const cells = row.split('|').map((cell) => cell.trim());
    assert.deepEqual(cells.slice(3, 5), ['4 (3 – 5)', '5 (4 – 10)']);
    // Of 3/4, 4/5 and 5/10, not of the medians.
    assert.deepEqual(cells.slice(-4, -1), ['0.75', 'at least 0.85 × HAProxy pair', 'no']);
    assert.match(page, /^- ssh -L: no ssh here: install openssh-client \(tcp-one-stream\)$/m);
    assert.match(page, /^Last run: 2026-01-02, Caravan 0\.1\.0, 3 rounds of 3 s/m);
  });

  it('keeps what people wrote below the line, run after run', async () => {
    const path = await writePerformancePage(report(), docs);
    const written = await readFile(path, 'utf8');
    await writeFile(path, `${written.replace('2026-01-02', 'long ago')}\nCorking: 2 × as fast.\n`);
    for (const _ of [1, 2]) await writePerformancePage(report(), docs);
    assert.equal(await readFile(path, 'utf8'), `${written}\nCorking: 2 × as fast.\n`);
  });

  it('draws every point of a curve, between its smallest and its largest', async () => {
    await writePerformancePage(report(), docs);
    const image = await readFile(join(docs, 'images', 'performance', 'by-services.svg'), 'utf8');
    assert.equal(image.match(/<circle /g)?.length, 3);
    assert.match(image, /<title>1,000: 20<\/title>/);
    assert.match(image, /requests &lt; more/);
    assert.doesNotMatch(image, /NaN|Infinity|undefined/);
  });
});

function report(): Report {
  const columns = {
    caravan: sampleOf([3, 4, 5]),
    haproxy: sampleOf([4, 5, 10]),
    ssh: { reason: 'no ssh here: install openssh-client' },
  };
  return {
    date: '2026-01-02T03:04:05.678Z',
    version: '0.1.0',
    machine: { cpu: 'A CPU', cores: 2, memoryGiB: 8, kernel: 'Linux 6', node: 'v24', programs: { ssh: null }, load: 0 },
    quick: false,
    rounds: 3,
    seconds: 3,
    tookSeconds: 60,
    rows: [judge(tcpOneStream, columns)],
    curves: [
      {
        name: 'by-services',
        title: 'requests < more',
        x: 'services',
        unit: 'requests/s',
        points: [1, 10, 1000].map((x) => ({ x, ...sampleOf([10, 20, 30]) })),
      },
    ],
  };
}
