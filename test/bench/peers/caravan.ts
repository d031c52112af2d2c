import { listenAt, startLine } from '../site-line.ts';
import type { Peer } from './peer.ts';

/** Two routers: the server is offered at one, the client is at the other. */
export const caravan: Peer = {
  name: 'caravan',
  title: 'Caravan',
  whyNot: () => undefined,
  start: async ({ port, protocol, between }, scope) => {
    const [far, near] = await startLine(2, scope, between);
    await far!.api.expose({ address: 'server', port, type: protocol });
    return listenAt(near!, 'server', protocol);
  },
};
