import type { Explanation } from '../../runtime/api/types.ts';

/** *Explain*'s page, as Markdown: what a site answered, and when. */
export function explainText({ address, summary, steps }: Explanation, site: string, when: Date): string {
  const rows = steps.map(({ ok, title, detail }, index) => `| ${mark(ok)} | ${index + 1} | ${cell(title)} | ${cell(detail)} |`);
  return [
    `# ${address}`,
    '',
    summary,
    '',
    '|  |  |  |  |',
    '|---|---|---|---|',
    ...rows,
    '',
    `*${site} was asked at ${when.toLocaleTimeString()}.*`,
    '',
  ].join('\n');
}

function mark(ok: boolean | undefined): string {
  if (ok === undefined) return '';
  return ok ? '✓' : '✗';
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');
}
