import { chmod, writeFile } from 'node:fs/promises';
import { DURATION_PATTERN } from '../api/vocabulary.ts';
import { CaravanError } from '../errors.ts';
import { parseArguments, SOCKET_OPTION, UsageError, wholeNumber } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';
import { counted, duration } from '../words.ts';

export const command: Command = {
  help: `Usage: caravan token issue [--expires 15m] [--uses 1] [-o FILE] [--socket PATH_OR_NAME]

Makes a token that lets other sites link with this one, as YAML. Who has it may join the network: send it to nobody else.

  --expires DURATION    how long it may be redeemed: 30s, 15m (default), 1h30m
  --uses COUNT          how many sites it lets in; default 1
  -o FILE               write it there, readable by you alone; default: standard output
`,
  async run(args, io) {
    const text = { type: 'string' } as const;
    const { values } = parseArguments(args, {
      expires: text,
      uses: text,
      output: { type: 'string', short: 'o' },
      ...SOCKET_OPTION,
    });
    if (values.expires !== undefined && !DURATION_PATTERN.test(values.expires))
      throw new UsageError(`--expires is "${values.expires}": it takes a duration such as 30s, 15m or 1h30m.`);
    const uses = values.uses === undefined ? undefined : wholeNumber('--uses', values.uses, 1, 10_000);
    const client = await connectToSite(values.socket);
    const token = await client.issueToken({ ...(values.expires && { expires: values.expires }), ...(uses && { uses }) });
    if (values.output === undefined || values.output === '-') return io.out(token.yaml);
    await writePrivate(values.output, token.yaml);
    const valid = duration(Date.parse(token.expires) - io.now().getTime() + 500);
    io.out(`${values.output} lets in ${counted(token.uses, 'site')} within ${valid}. There: caravan token redeem FILE\n`);
  },
};

async function writePrivate(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600 });
    await chmod(file, 0o600); // one that was there before keeps its mode otherwise
  } catch (error) {
    throw new CaravanError('forbidden', `The token cannot be written to ${file}: ${(error as NodeJS.ErrnoException).code}.`, {
      cause: error,
    });
  }
}
