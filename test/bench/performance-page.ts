/** docs/performance.md: the last run, and below it what people write. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lineChart } from './line-chart.ts';
import { type CurveResult, isSample, type Report } from './report.ts';
import { markdownTable, missing } from './table.ts';

const root = join(import.meta.dirname, '..', '..');
/** What stands from this line on is kept. */
const KEPT_FROM = '<!-- npm run bench writes what is above this line, and nothing below it. -->';
const IMAGES = 'images/performance';

/** Writes the page and its plots; resolves to the page's path. */
export async function writePerformancePage(report: Report, docs = join(root, 'docs')): Promise<string> {
  const page = join(docs, 'performance.md');
  const before = existsSync(page) ? await readFile(page, 'utf8') : '';
  const at = before.indexOf(KEPT_FROM);
  const kept = at < 0 ? '\n## What each change brought\n' : before.slice(at + KEPT_FROM.length);
  await mkdir(join(docs, IMAGES), { recursive: true });
  for (const curve of report.curves) await writeFile(join(docs, IMAGES, `${curve.name}.svg`), plot(curve));
  await writeFile(page, `${measured(report)}\n${KEPT_FROM}\n${kept.trim() === '' ? '' : `\n${kept.trimStart()}`}`);
  return page;
}

function measured(report: Report): string {
  const { date, version, machine, rounds, seconds, tookSeconds, rows, curves } = report;
  const programs = Object.entries(machine.programs)
    .map(([name, says]) => `${name} ${says ?? 'missing'}`)
    .join(', ');
  return `# Performance

\`npm run bench\` measures this on any Linux machine: it starts and ends everything itself, and puts load on loopback only. Two routers as
processes of their own, linked with mutual TLS 1.3, stand beside a pair of HAProxy with mutual TLS 1.3 (in tcp mode, for type http and
http2 in http mode), a pair of stunnel, \`ssh -L\`, two programs of Node that only copy, and no way at all. Same server and client for every column, each measured once in every round.
The figure is the median of all rounds, with the smallest and the largest; ratios are the median of the rounds' own ratios.

Last run: ${date.slice(0, 10)}, Caravan ${version}, ${rounds} rounds of ${seconds} s, ${Math.round(tookSeconds / 60)} minutes in all.
${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}, Node ${machine.node}, load before the run ${machine.load}.
${programs}.

${markdownTable(report)}

${missing(rows)
  .map((line) => `- ${line}`)
  .join('\n')}

## How cost grows

${curves.map(shown).join('\n')}`;
}

function shown({ name, title, x, reason }: CurveResult): string {
  return reason === undefined ? `![${title}, by ${x}](${IMAGES}/${name}.svg)\n` : `${title}, by ${x}: not measured, ${reason}.\n`;
}

function plot({ title, x, unit, points }: CurveResult): string {
  const shownPoints = points.flatMap((point) =>
    isSample(point) ? [{ x: point.x, y: point.median, min: point.min, max: point.max }] : [],
  );
  return lineChart({ title, x, y: unit, points: shownPoints });
}
