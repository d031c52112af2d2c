import { figure } from './table.ts';

export interface LineChart {
  title: string;
  x: string;
  y: string;
  /** Ascending. `min` and `max` are shown as a bar through the point. */
  points: { x: number; y: number; min: number; max: number }[];
}

const [WIDTH, HEIGHT] = [640, 320];
const MARGIN = { left: 70, right: 24, top: 40, bottom: 50 };
/** From this span on, what grows is shown by its orders of magnitude. */
const LOGARITHMIC_SPAN = 50;

/** A line of points as an SVG image, readable on light and on dark pages. */
export function lineChart({ title, x, y, points }: LineChart): string {
  const [first, last] = [points[0]?.x ?? 0, points.at(-1)?.x ?? 1];
  const scale = first > 0 && last / first >= LOGARITHMIC_SPAN ? Math.log10 : (value: number) => value;
  const ticks = niceTicks(Math.max(...points.map(({ max }) => max), 0));
  const top = ticks.at(-1)!;
  const span = scale(last) - scale(first) || 1;
  const atX = (value: number) =>
    round(MARGIN.left + ((scale(value) - scale(first)) / span) * (WIDTH - MARGIN.left - MARGIN.right));
  const atY = (value: number) => round(HEIGHT - MARGIN.bottom - (value / top) * (HEIGHT - MARGIN.top - MARGIN.bottom));
  const grid = ticks.map(
    (tick) =>
      `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${atY(tick)}" y2="${atY(tick)}"/>` +
      `<text x="${MARGIN.left - 8}" y="${atY(tick) + 4}" text-anchor="end">${figure(tick)}</text>`,
  );
  const marks = points.map(
    (point) =>
      `<line class="spread" x1="${atX(point.x)}" x2="${atX(point.x)}" y1="${atY(point.min)}" y2="${atY(point.max)}"/>` +
      `<circle cx="${atX(point.x)}" cy="${atY(point.y)}" r="4"><title>${figure(point.x)}: ${figure(point.y)}</title></circle>` +
      `<text x="${atX(point.x)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${figure(point.x)}</text>`,
  );
  const line = points.map((point) => `${atX(point.x)},${atY(point.y)}`).join(' ');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">
<style>
text { font: 12px system-ui, sans-serif; fill: #57606a }
.title { font-size: 14px; font-weight: 600 }
.grid { stroke: #8b949e; stroke-opacity: 0.3 }
.spread { stroke: #2f81f7; stroke-width: 2; stroke-opacity: 0.5 }
polyline { fill: none; stroke: #2f81f7; stroke-width: 2 }
circle { fill: #2f81f7 }
@media (prefers-color-scheme: dark) { text { fill: #adbac7 } }
</style>
<text class="title" x="${MARGIN.left}" y="20">${escaped(title)}, ${escaped(y)}</text>
${grid.join('\n')}
<polyline points="${line}"/>
${marks.join('\n')}
<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${escaped(x)}</text>
</svg>
`;
}

/** From 0 on, in steps of 1, 2 or 5 times a power of ten, up to the first that is not below `max`. */
function niceTicks(max: number): number[] {
  const rough = (max || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  return Array.from({ length: Math.ceil((max || 1) / step) + 1 }, (_, at) => at * step);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
