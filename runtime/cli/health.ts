import { createServer } from 'node:http';
import { sendMetrics } from '../api/metrics.ts';
import type { Status } from '../api/types.ts';
import { CaravanError } from '../errors.ts';

export interface Health {
  close(): Promise<void>;
}

/**
 * For the kubelet's probes, which come from outside the pod. `GET /healthz`: 200 while `ready` says so, else 503. `GET /livez`: 200 as long as
 * this process answers anything; a router that waits for the API server is not helped by a restart. `GET /metrics`: what the site counts,
 * for Prometheus; 503 until there is a `status`.
 */
export async function serveHealth(port: number, ready: () => boolean, status: () => Status | undefined): Promise<Health> {
  const probes = new Map([
    ['/healthz', ready],
    ['/livez', () => true],
    ['/metrics', () => false],
  ]);
  const server = createServer((request, response) => {
    request.resume();
    const path = request.url?.split('?')[0] ?? '';
    const counted = path === '/metrics' ? status() : undefined;
    if (counted) return sendMetrics(response, counted);
    const isGood = probes.get(path)?.();
    const [code, text] = isGood === undefined ? [404, 'not found'] : isGood ? [200, 'ok'] : [503, 'not ready'];
    return void response.writeHead(code, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end(`${text}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new CaravanError('conflict', `Port ${port} cannot be had for probes: ${error.code}.`, { cause: error })),
    );
    // Without a host: IPv6 and IPv4, or IPv4 alone where there is nothing else. A cluster may have either.
    server.listen(port, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
