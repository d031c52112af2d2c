import { createServer } from 'node:http';
import { CaravanError } from '../errors.ts';

export interface Health {
  close(): Promise<void>;
}

/** `GET /healthz`: 200 while `ready` says so, else 503. For the kubelet's probes, which come from outside the pod. */
export async function serveHealth(port: number, ready: () => boolean): Promise<Health> {
  const server = createServer((request, response) => {
    request.resume();
    const [status, text] =
      request.url?.split('?')[0] !== '/healthz' ? [404, 'not found'] : ready() ? [200, 'ok'] : [503, 'not ready'];
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
