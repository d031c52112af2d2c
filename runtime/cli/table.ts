import { printable } from '../words.ts';

/** Rows under their headings, columns two spaces apart, no spaces at the ends of lines. Control characters are written out. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows].map((line) => line.map(printable));
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => width(line[column] ?? ''))));
  const drawn = lines.map((line) =>
    widths
      .map((size, column) => (line[column] ?? '') + ' '.repeat(size - width(line[column] ?? '')))
      .join('  ')
      .trimEnd(),
  );
  return `${drawn.join('\n')}\n`;
}

/** Characters that a terminal shows; × and → count as one each. */
function width(text: string): number {
  return Array.from(text).length;
}
