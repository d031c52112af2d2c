import { createServer } from 'node:http';
import { CaravanError } from '../errors.ts';

export interface Health {
  close(): Promise<void>;
}

/**
 * For the kubelet's probes, which come from outside the pod. `GET /healthz`: 200 while `ready` says so, else 503. `GET /livez`: 200 as long as
 * this process answers anything; a router that waits for the API server is not helped by a restart.
 */
export async function serveHealth(port: number, ready: () => boolean): Promise<Health> {
  const server = createServer((request, response) => {
    request.resume();
    const path = request.url?.split('?')[0];
    const known = path === '/healthz' || path === '/livez';
    const [status, text] = !known ? [404, 'not found'] : path === '/livez' || ready() ? [200, 'ok'] : [503, 'not ready'];
    response.writeHead(status, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end(`${text}\n`);
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
