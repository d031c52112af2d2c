import { OUTPUT_OPTION, parseArguments, SOCKET_OPTION, wantsJson } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';
import { table } from './table.ts';

const MARK = { true: '✓', false: '✗', undefined: ' ' };

export const command: Command = {
  help: `Usage: caravan explain ADDRESS [-o json] [--socket PATH_OR_NAME]

Why the address can or cannot be reached from this site, step by step.
`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, { ...SOCKET_OPTION, ...OUTPUT_OPTION }, ['ADDRESS']);
    const json = wantsJson(values.output);
    const explanation = await (await connectToSite(values.socket)).explain(positionals[0]!);
    if (json) return io.out(`${JSON.stringify(explanation, null, 2)}\n`);
    const rows = explanation.steps.map(({ ok, title, detail }, index) => [MARK[`${ok}`], String(index + 1), title, detail]);
    const [, ...lines] = table(['', '', '', ''], rows).split('\n');
    io.out(`${explanation.summary}\n${lines.join('\n')}`);
  },
};
