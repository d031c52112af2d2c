import assert from 'node:assert/strict';
import { it } from 'node:test';
import { TestAuthority } from '../../test/support/certificates.ts';
import { TestServer } from '../../test/support/tcp.ts';
import { until } from '../../test/support/until.ts';
import { AccessServer } from '../link/access-server.ts';
import { silentLog } from '../log.ts';
import { IncomingLinks } from './incoming-links.ts';
import { OutgoingLink } from './outgoing-link.ts';
import { Router } from './router.ts';

function routerOf(name: string): Router {
  return new Router({ id: name, site: { id: name, name }, version: '1', platform: 'host' }, silentLog, () => {});
}

it('a link that was lost is dialled again where it was up; the next endpoint has its turn when that fails', async (t) => {
  const authority = await TestAuthority.make();
  const [own, theirs] = await Promise.all(['near', 'far'].map((name) => authority.issue([name])));
  const [near, far] = [routerOf('near'), routerOf('far')];
  const incoming = new IncomingLinks(far, { log: silentLog, changed: () => {} });
  const access = await AccessServer.listen({
    host: '127.0.0.1',
    port: 0,
    ...theirs!,
    authority: authority.certificate,
    admits: () => true,
    link: (socket, { siteId }) => incoming.add(socket, siteId),
    request: async (_request, response) => void response.end(),
    log: silentLog,
  });
  let dialled = 0;
  const other = await TestServer.start((socket) => {
    dialled++;
    socket.destroy();
  });
  const link = new OutgoingLink(
    {
      name: 'far',
      cost: 1,
      endpoints: [access.port, other.port].map((port) => ({ host: '127.0.0.1', port })),
      credentials: { ...own!, authority: authority.certificate },
      siteId: 'far',
      portForward: undefined,
    },
    near,
    { log: silentLog, changed: () => {} },
  );
  t.after(async () => {
    link.close('the test ends');
    access.close();
    near.close();
    far.close();
    await other.stop();
  });
  const isUp = () => link.status('near').state === 'up';
  await until('the link', isUp);
  for (let times = 0; times < 3; times++) {
    incoming.close('cut');
    await until('its loss', () => !isUp());
    await until('it to be back', isUp);
  }
  assert.equal(dialled, 0, 'the other endpoint was not asked');
  access.close();
  incoming.close('cut');
  await until('the other endpoint to be asked', () => dialled > 0);
});
