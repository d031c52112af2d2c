import { CHECK_NAMES } from './checks.ts';
import { PROTOCOLS } from './protocols.ts';

/** Which check applies to which protocol, and why others do not, as Markdown. */
export function table(): string {
  const reasons: string[] = [];
  const rows = CHECK_NAMES.map((check) => {
    const cells = PROTOCOLS.map(({ omits }) => {
      const reason = omits[check];
      if (reason === undefined) return 'yes';
      if (!reasons.includes(reason)) reasons.push(reason);
      return `(${reasons.indexOf(reason) + 1})`;
    });
    return row([check, ...cells]);
  });
  const head = row(['', ...PROTOCOLS.map(({ name }) => name)]);
  const notes = reasons.map((reason, at) => `${at + 1}. ${reason}`);
  return [head, `|${'---|'.repeat(PROTOCOLS.length + 1)}`, ...rows, '', ...notes, ''].join('\n');
}

function row(cells: string[]): string {
  return `| ${cells.join(' | ')} |`;
}
