import { startBackend } from '../demo/app/backend.ts';
import { startFrontend } from '../demo/app/frontend.ts';
import type { Place } from '../demo/app/orders-client.ts';
import { startOrders } from '../demo/app/orders.ts';
import { oneOf, parseArguments, UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { startLifetime } from './lifetime.ts';

export const command: Command = {
  help: `Usage: caravan demo-app frontend|backend|orders

One part of the demo's sample application, on 127.0.0.1. PORT is the port it would like; backend reaches orders at
ORDERS_SERVICE_HOST and ORDERS_SERVICE_PORT, frontend reaches backend at BACKEND_SERVICE_HOST and BACKEND_SERVICE_PORT.

  --until-stdin-closes  end as well when standard input does
`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, { 'until-stdin-closes': { type: 'boolean' } }, ['PART']);
    const name = oneOf('PART', positionals[0], ['frontend', 'backend', 'orders']);
    const lifetime = startLifetime({ untilStdinCloses: values['until-stdin-closes'] === true });
    const wanted = Number(process.env['PORT'] ?? 0);
    const start = {
      orders: () => startOrders(wanted),
      backend: () => startBackend(wanted, place('ORDERS')),
      frontend: () => startFrontend(wanted, place('BACKEND')),
    }[name!];
    const part = await start();
    io.out(`caravan: ${name} is ready, port ${part.port}\n`);
    await lifetime.ended;
    part.close();
  },
};

/** Where a service is reached, told as Kubernetes tells it. */
function place(service: string): Place {
  const port = Number(process.env[`${service}_SERVICE_PORT`]);
  if (!(port > 0)) throw new UsageError(`${service}_SERVICE_PORT is missing.`);
  return { host: process.env[`${service}_SERVICE_HOST`] ?? '127.0.0.1', port };
}
