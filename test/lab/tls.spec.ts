/** TLS with applications in real clusters: what annotations and resources say of it, and the Secrets that they name. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import * as kubernetes from '../../runtime/kubernetes/index.ts';
import { API_VERSION } from '../../runtime/site/resources.ts';
import { SiteProcesses } from '../router/site-processes.ts';
import { secretOf, TestAuthority } from '../support/certificates.ts';
import { DEADLINE_MS, until } from '../support/until.ts';
import type { PortForward } from './cluster.ts';
import { ClusterSite } from './cluster-site.ts';
import { type Lab, prepareLab, startLab, whyLabCannotRun } from './lab.ts';
import { fetchInPod, fetchOverTls, service, shell, tlsServer } from './workloads.ts';

describe('TLS with applications in two clusters', { skip: whyLabCannotRun() }, () => {
  let lab: Lab;
  let west: ClusterSite;
  let east: ClusterSite;
  let authority: TestAuthority;
  let forward: PortForward | undefined;
  let sites: SiteProcesses;
  const server = createServer((_request, response) => response.end('hello from the laptop'));

  before(async () => {
    await prepareLab((line) => console.error(line));
    lab = await startLab();
    [authority, sites, west, east] = await Promise.all([
      TestAuthority.make(),
      SiteProcesses.make(),
      ClusterSite.prepare(lab.west),
      ClusterSite.prepare(lab.east),
    ]);
    await Promise.all([west.create('LoadBalancer'), east.create('none')]);
    await east.linkTo(west);
    const keys = await authority.issue([`backend.${west.ref.namespace}.svc`]);
    await west.apply(JSON.stringify(secretOf('backend-keys', keys)));
    await Promise.all([west.apply(tlsServer('backend', 'backend-keys')), east.apply(shell('client'))]);
    await Promise.all([west.run('rollout', 'status', 'deployment/backend'), east.run('rollout', 'status', 'deployment/client')]);
  });
  after(async () => {
    forward?.close();
    server.closeAllConnections();
    server.close();
    await sites?.stop();
    await lab?.stop();
  });

  it('calls a Service whose pods speak it by its name, from the other cluster, and verifies them', async () => {
    const annotations = { 'skupper.io/proxy': 'http', 'skupper.io/tls-trust': 'backend-ca' };
    await west.apply(service('backend', annotations, { port: 443, targetPort: 8443 }));
    await says(west, 'Connector service-backend-443: there is no Secret named backend-ca; add one with ca.crt.');
    await west.apply(JSON.stringify(secretOf('backend-ca', {}, authority.certificate)));
    const asked = await until('an answer', async () => (await fetchInPod(clientOf(east), 'http://backend:443')) || undefined);
    assert.equal(asked, `backend.${west.ref.namespace}.svc`);
  });

  it('shows clients of the other cluster the certificate that their namespace has, and is spoken to plainly by none', async () => {
    await annotate({ 'skupper.io/tls-cert': 'backend-tls' });
    await says(east, 'Listener service-backend-443: there is no Secret named backend-tls; add one with tls.crt and tls.key.');
    await assert.rejects(fetchInPod(clientOf(east), 'http://backend:443'));
    // With ca.crt beside it, as cert-manager makes one.
    await east.apply(JSON.stringify(secretOf('backend-tls', await authority.issue(['backend']), authority.certificate)));
    const answer = () => fetchOverTls(clientOf(east), 'https://backend', authority.certificate);
    await until('an answer', async () => (await answer()) === `backend.${west.ref.namespace}.svc`);
    await annotate({ 'skupper.io/tls-cert': null });
    await until('a plain answer', () => fetchInPod(clientOf(east), 'http://backend:443'));
  });

  it('shows callers inside the cluster a certificate while a laptop stands in for pods that speak it', async () => {
    const host = `backend.${west.ref.namespace}.svc`;
    await west.apply(JSON.stringify(secretOf('backend-tls', await authority.issue([host]))));
    await annotate({ 'skupper.io/tls-cert': 'backend-tls' });
    await west.apply(shell('client'));
    await west.run('rollout', 'status', 'deployment/client');
    const answer = () => fetchOverTls(clientOf(west), `https://${host}`, authority.certificate);
    assert.equal(await answer(), host);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const [laptop] = await sites.start('laptop');
    const { yaml } = await west.api.issueToken({});
    await laptop.api.redeemToken({ yaml });
    await laptop.status('the service', ({ services }) => services.some(({ destinations }) => destinations.length > 0));
    const made = await laptop.api.intercept({ address: 'backend', port, how: 'take-over' });
    await until('the laptop', async () => (await answer()) === 'hello from the laptop');
    await laptop.api.remove(made);
    await until('the pods', async () => (await answer()) === host);
  });

  it('renews the certificate of a Listener with its Secret, and closes nothing', async () => {
    await east.apply(JSON.stringify(secretOf('edge-tls', await authority.issue(['first.example']))));
    const listener = {
      apiVersion: API_VERSION,
      kind: 'Listener',
      metadata: { name: 'edge' },
      spec: { routingKey: 'backend', port: 9443, type: 'http', tlsCredentials: 'edge-tls', settings: { servicePort: 443 } },
    };
    const configMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'listeners', labels: { 'skupper.io/resource': '' } },
      data: { 'edge.yaml': JSON.stringify(listener) },
    };
    await east.apply(JSON.stringify(configMap));
    await east.status('it open', ({ listeners }) => listeners.find(({ name, state }) => name === 'edge' && state === 'open'));
    forward = await east.cluster.portForward(east.ref.namespace, 'deployment/caravan', 9443);
    const up = await client();
    assert.equal(up.getPeerCertificate().subject.CN, 'first.example');
    assert.match(await get(up), /^HTTP\/1\.1 200/);
    await east.apply(JSON.stringify(secretOf('edge-tls', await authority.issue(['second.example']))));
    const shown = async () => {
      const next = await client();
      const { CN } = next.getPeerCertificate().subject;
      next.destroy();
      return CN;
    };
    for (const deadline = Date.now() + DEADLINE_MS; (await shown()) !== 'second.example'; await sleep(100))
      assert.ok(Date.now() < deadline, 'the first certificate is shown still');
    assert.match(await get(up), /^HTTP\/1\.1 200/);
    up.destroy();
  });

  /** Of the Listener that is a resource. */
  async function client(): Promise<TLSSocket> {
    const { port } = forward!;
    const socket = connect({ host: '127.0.0.1', port, ca: authority.certificate, checkServerIdentity: () => undefined });
    await once(socket, 'secureConnect');
    return socket;
  }

  async function get(socket: TLSSocket): Promise<string> {
    socket.write('GET / HTTP/1.1\r\nHost: edge\r\n\r\n');
    return String(await once(socket, 'data'));
  }

  function annotate(annotations: Record<string, string | null>): Promise<void> {
    return kubernetes.annotate({ ...west.ref, kind: 'Service', name: 'backend' }, annotations);
  }
});

function clientOf({ cluster, ref }: ClusterSite) {
  return { cluster, namespace: ref.namespace };
}

function says(site: ClusterSite, problem: string): Promise<boolean> {
  return until(
    async () => `"${problem}"; there are: ${(await site.api.status()).problems.map(({ message }) => message).join(' | ')}`,
    async () =>
      (await site.api.status()).problems.some(({ where, message }) => where === 'Service backend' && message === problem),
  );
}
