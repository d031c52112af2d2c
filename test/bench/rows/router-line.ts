import { whyWithout } from '../commands.ts';
import type { Row } from '../row.ts';
import { listenAt, startLine } from '../site-line.ts';
import { startNginx } from '../tools/nginx.ts';
import { wrk } from '../tools/wrk.ts';

export const routerLine: Row = {
  name: 'router-line',
  title: 'Median time of a request, 3 routers in a line',
  how: 'wrk, one connection, type tcp',
  unit: 'µs',
  better: 'less',
  aim: { times: 1.3, of: 'two routers' },
  prepare: async ({ seconds }, scope) => {
    const reason = whyWithout('wrk', 'nginx');
    if (reason) return [{ name: 'caravan', reason }];
    const line = await startLine(3, scope);
    await line[0]!.api.expose({ address: 'server', port: await startNginx(scope) });
    const [two, three] = [await listenAt(line[1]!, 'server', 'tcp'), await listenAt(line[2]!, 'server', 'tcp')];
    const time = async (port: number) => (await wrk({ port, connections: 1, seconds }, scope)).medianUs;
    return [
      { name: 'caravan', measure: () => time(three) },
      { name: 'two routers', measure: () => time(two) },
    ];
  },
};
