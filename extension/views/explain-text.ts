import type { Explanation } from '../../runtime/api/types.ts';

/** *Explain*'s page, as Markdown. */
export function explainText({ address, summary, steps }: Explanation, asked: string): string {
  const rows = steps.map(({ ok, title, detail }, index) => `| ${mark(ok)} | ${index + 1} | ${cell(title)} | ${cell(detail)} |`);
  return [`# ${address}`, '', summary, '', '|  |  |  |  |', '|---|---|---|---|', ...rows, '', `*Asked at ${asked}.*`, ''].join(
    '\n',
  );
}

function mark(ok: boolean | undefined): string {
  if (ok === undefined) return '';
  return ok ? '✓' : '✗';
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');
}
