import { whyWithout } from '../commands.ts';
import { offer } from '../memory.ts';
import type { Curve } from '../row.ts';
import { listenAt, startLine } from '../site-line.ts';
import { LARGE_PATH, startNginx } from '../tools/nginx.ts';
import { wrk } from '../tools/wrk.ts';

const CONNECTIONS = 16;

export const requestsByServices: Curve = {
  name: 'requests-by-services',
  title: `Requests over ${CONNECTIONS} kept-alive connections`,
  x: 'services in the network',
  unit: 'requests/s',
  prepare: async ({ quick, seconds }, scope) => {
    const counts = quick ? [1, 100] : [1, 10, 100, 1000];
    const reason = whyWithout('wrk', 'nginx');
    if (reason) return counts.map((x) => ({ x, reason }));
    const server = await startNginx(scope);
    return Promise.all(
      counts.map(async (x) => {
        const [far, near] = await startLine(2, scope);
        await offer(far!, near!, x, server);
        const port = await listenAt(near!, `server-${Math.floor(x / 2)}`, 'tcp');
        return { x, measure: async () => (await wrk({ port, connections: CONNECTIONS, seconds }, scope)).requestsPerSecond };
      }),
    );
  },
};

export const throughputByStreams: Curve = {
  name: 'throughput-by-streams',
  title: 'Throughput of files of 1 MiB, all streams together',
  x: 'streams at once',
  unit: 'Gbit/s',
  prepare: async ({ quick, seconds }, scope) => {
    const counts = quick ? [1, 100] : [1, 10, 100, 1000];
    const reason = whyWithout('wrk', 'nginx');
    if (reason) return counts.map((x) => ({ x, reason }));
    const [far, near] = await startLine(2, scope);
    await far!.api.expose({ address: 'server', port: await startNginx(scope) });
    const port = await listenAt(near!, 'server', 'tcp');
    return counts.map((x) => ({
      x,
      measure: async () => ((await wrk({ port, connections: x, seconds, path: LARGE_PATH }, scope)).bytesPerSecond * 8) / 1e9,
    }));
  },
};

export const timeByRouters: Curve = {
  name: 'time-by-routers',
  title: 'Median time of a request on one connection',
  x: 'routers in a line',
  unit: 'µs',
  prepare: async ({ quick, seconds }, scope) => {
    const counts = quick ? [1, 2, 3] : [1, 2, 3, 4, 5];
    const reason = whyWithout('wrk', 'nginx');
    if (reason) return counts.map((x) => ({ x, reason }));
    const line = await startLine(counts.length, scope);
    await line[0]!.api.expose({ address: 'server', port: await startNginx(scope) });
    return Promise.all(
      counts.map(async (x) => {
        const port = await listenAt(line[x - 1]!, 'server', 'tcp');
        return { x, measure: async () => (await wrk({ port, connections: 1, seconds }, scope)).medianUs };
      }),
    );
  },
};
