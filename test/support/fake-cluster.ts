/** An API server as far as reaching a site needs it: it lists the router's pod, and forwards to ports that this test listens on. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { WebSocketServer } from 'ws';
import { API_PORT, LINKS_PORT } from '../../runtime/kubernetes/ports.ts';

const DATA = 0;
const CHANNELS = [DATA, 1];

export interface Forwarded {
  namespace: string;
  /** Of this computer, for the pod's port of the management API and that of links. */
  api: number;
  links: number;
}

export class FakeCluster {
  /** Bearer tokens that were sent. */
  readonly tokens = new Set<string>();
  readonly #server: Server;

  private constructor(site: Forwarded) {
    const pod = {
      metadata: { name: 'caravan-1', namespace: site.namespace },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    };
    const pods = `/api/v1/namespaces/${site.namespace}/pods`;
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://fake');
      const items = pathname === pods ? [pod] : [];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ apiVersion: 'v1', kind: 'PodList', metadata: { resourceVersion: '1' }, items }));
    });
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v4.channel.k8s.io' });
    this.#server.on('upgrade', (request, socket, head) => {
      this.tokens.add(request.headers.authorization ?? '');
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
      const wanted = Number(searchParams.get('ports'));
      const port = { [API_PORT]: site.api, [LINKS_PORT]: site.links }[wanted];
      if (port === undefined || pathname !== `${pods}/caravan-1/portforward`) return socket.destroy();
      return sockets.handleUpgrade(request, socket, head, (webSocket) => {
        for (const channel of CHANNELS) webSocket.send(Buffer.from([channel, wanted & 255, wanted >> 8]));
        const inPod = connect(port, '127.0.0.1');
        inPod.on('data', (bytes) => webSocket.send(Buffer.concat([Buffer.from([DATA]), bytes])));
        inPod.on('error', () => {}).on('close', () => webSocket.close(1000));
        webSocket.on('message', (message: Buffer) => message[0] === DATA && inPod.write(message.subarray(1)));
        webSocket.on('error', () => {}).on('close', () => inPod.destroy());
      });
    });
  }

  static async start(site: Forwarded): Promise<FakeCluster> {
    const cluster = new FakeCluster(site);
    await new Promise<void>((resolve) => cluster.#server.listen(0, '127.0.0.1', resolve));
    return cluster;
  }

  /** A kubeconfig with one context. */
  kubeconfig(context: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'fake', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'ada', user: { token: 'secret' } }],
      contexts: [{ name: context, context: { cluster: 'fake', user: 'ada' } }],
      'current-context': context,
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
