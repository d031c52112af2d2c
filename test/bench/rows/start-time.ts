import type { Socket } from 'node:net';
import { API_VERSION } from '../../../runtime/site/resources.ts';
import { SiteProcesses } from '../../router/site-processes.ts';
import { dial, TestServer } from '../../support/tcp.ts';
import { freePort } from '../ports.ts';
import type { Row } from '../row.ts';

export const startTime: Row = {
  name: 'start-time',
  title: 'Start of a router to its first answered request',
  how: 'from the start of the process; the site has its keys already',
  unit: 'ms',
  better: 'less',
  aim: { value: 300 },
  prepare: async (_, scope) => {
    const server = scope.use(await TestServer.start((socket) => socket.pipe(socket)));
    const processes = scope.use(await SiteProcesses.make());
    const { [0]: site } = await processes.start('site');
    const port = await freePort();
    const resource = (kind: string, spec: object) => ({ apiVersion: API_VERSION, kind, metadata: { name: 'echo' }, spec });
    await site.write('echo.yaml', [
      resource('Connector', { routingKey: 'echo', host: '127.0.0.1', port: server.port }),
      resource('Listener', { routingKey: 'echo', port }),
    ]);
    // The first start made the site's keys: what is measured is the start of a site that there is.
    const measure = async () => {
      await site.stop();
      const begun = performance.now();
      const started = site.start();
      await answered(port);
      const took = performance.now() - begun;
      await started;
      return took;
    };
    return [{ name: 'caravan', measure }];
  },
};

/** Asks without a rest until it is answered. */
async function answered(port: number): Promise<void> {
  for (;;) if (await answers(dial(port))) return;
}

function answers(client: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (answer: boolean) => {
      client.destroy();
      // A turn of the clock, so that asking costs the router little of this machine.
      setTimeout(() => resolve(answer), answer ? 0 : 2);
    };
    client.once('data', () => settle(true));
    client.once('close', () => settle(false));
    client.write('x');
  });
}
