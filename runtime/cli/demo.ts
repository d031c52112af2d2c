import { Demo } from '../demo/demo.ts';
import { CaravanError } from '../errors.ts';
import { parseArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { startLifetime } from './lifetime.ts';

/** How long the one request of `--once` may take. Milliseconds. */
const REQUEST_MS = 10_000;

export const command: Command = {
  help: `Usage: caravan demo [--data DIR] [--once]

Starts three linked sites, cloud, onprem and laptop, with a sample application that talks through them, on this computer. Prints the
application's address. Ctrl+C ends everything and leaves nothing behind.

  --data DIR            where its files are while it runs; default the system's temporary folder
  --once                ask the application once, print its answer, and end
  --until-stdin-closes  end as well when standard input does: for programs that start the demo
`,
  async run(args, io) {
    const flag = { type: 'boolean' } as const;
    const { values } = parseArguments(args, { data: { type: 'string' }, once: flag, 'until-stdin-closes': flag });
    const lifetime = startLifetime({ untilStdinCloses: values['until-stdin-closes'] === true });
    const demo = new Demo({
      data: values.data,
      step: (text) => io.out(`${text}\n`),
      onLine: (line) => io.err(`${line}\n`),
    });
    try {
      const url = await Promise.race([demo.start(), lifetime.ended.then(() => undefined)]);
      if (url === undefined) return;
      if (values.once) return io.out(await ask(url));
      io.out(`caravan: demo is ready, ${url}\nLook around: caravan services --socket demo-laptop\n`);
      await Promise.race([lifetime.ended, demo.failed]);
    } finally {
      await demo.end();
      lifetime.end('the demo has ended');
    }
  },
};

/** Orders something and resolves to the orders as text: both go through the whole network. */
async function ask(url: string): Promise<string> {
  const signal = AbortSignal.timeout(REQUEST_MS);
  const response = await fetch(`${url}orders`, { method: 'POST', body: new URLSearchParams({ item: 'ristretto' }), signal });
  const html = await response.text();
  if (!response.ok) {
    const [, problem] = html.match(/role="alert">([^<]*)/) ?? [];
    throw new CaravanError('unreachable', problem ?? `The frontend answered ${response.status}.`);
  }
  const rows = [...html.matchAll(/<tr><td>(\d+)<td>([^<]*)<td>([^<]*)/g)];
  return rows.map(([, number, item, time]) => `order ${number}: ${item} at ${time}\n`).join('');
}
