import type { Protocol } from '../../../runtime/api/vocabulary.ts';
import { acrossPeers, nobody } from '../across-peers.ts';
import { whyWithout } from '../commands.ts';
import type { Row } from '../row.ts';
import { startNginx } from '../tools/nginx.ts';
import { wrk, type WrkOptions, type WrkResult } from '../tools/wrk.ts';

const KEPT_CONNECTIONS = 16;
/** How many clients connect anew at a time. */
const NEW_CONNECTIONS = 16;

export const tcpRequests: Row = {
  name: 'tcp-requests',
  title: 'Requests, type tcp',
  how: `wrk, ${KEPT_CONNECTIONS} kept-alive connections`,
  unit: 'requests/s',
  better: 'more',
  aim: { times: 1.1, of: 'haproxy' },
  prepare: web('tcp', { connections: KEPT_CONNECTIONS }, requestsPerSecond),
};

export const httpRequests: Row = {
  name: 'http-requests',
  title: 'Requests, type http',
  how: `wrk, ${KEPT_CONNECTIONS} kept-alive connections, each request routed`,
  unit: 'requests/s',
  better: 'more',
  aim: { times: 0.6, of: 'haproxy' },
  prepare: web('http', { connections: KEPT_CONNECTIONS }, requestsPerSecond),
};

export const tcpLatency: Row = {
  name: 'tcp-latency',
  title: 'Median time of a request, type tcp',
  how: 'wrk, one kept-alive connection',
  unit: 'µs',
  better: 'less',
  aim: { times: 1, of: 'haproxy' },
  prepare: web('tcp', { connections: 1 }, medianUs),
};

export const httpLatency: Row = {
  name: 'http-latency',
  title: 'Median time of a request, type http',
  how: 'wrk, one kept-alive connection',
  unit: 'µs',
  better: 'less',
  aim: { times: 1.5, of: 'haproxy' },
  prepare: web('http', { connections: 1 }, medianUs),
};

export const newConnections: Row = {
  name: 'new-connections',
  title: 'New connections, type tcp',
  how: `wrk with Connection: close, ${NEW_CONNECTIONS} at a time`,
  unit: 'connections/s',
  better: 'more',
  aim: { times: 5, of: 'haproxy' },
  prepare: web('tcp', { connections: NEW_CONNECTIONS, close: true }, requestsPerSecond),
};

function web(
  protocol: Protocol,
  load: Pick<WrkOptions, 'connections' | 'close'>,
  figure: (result: WrkResult) => number,
): Row['prepare'] {
  return async ({ seconds }, scope) => {
    const reason = whyWithout('wrk', 'nginx');
    if (reason) return nobody(reason);
    const target = { port: await startNginx(scope), protocol };
    return acrossPeers(target, scope, async (port) => figure(await wrk({ port, seconds, ...load }, scope)));
  };
}

function requestsPerSecond(result: WrkResult): number {
  return result.requestsPerSecond;
}

function medianUs(result: WrkResult): number {
  return result.medianUs;
}
