import type { Cluster } from './cluster.ts';

/** Workloads for specs, as strict as the pod security standard `restricted` wants them. */

const POD_SECURITY = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } };
const CONTAINER_SECURITY = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };

export interface WebServerOptions {
  /** The body of every answer. Default: the pod's name. */
  says?: string;
  /** Default 1. */
  replicas?: number;
  annotations?: Record<string, string>;
  /** Whether they answer datagrams on that port, too. Default false. */
  datagrams?: boolean;
}

/** A Deployment of HTTP servers on port 8080. */
export function webServer(name: string, { says, replicas = 1, annotations = {}, datagrams = false }: WebServerOptions): string {
  const body = says === undefined ? "require('node:os').hostname()" : JSON.stringify(says);
  const http = `require('node:http').createServer((_, response) => response.end(${body})).listen(8080);`;
  const udp = `
    const socket = require('node:dgram').createSocket('udp4', (_, from) => socket.send(${body}, from.port, from.address));
    socket.bind(8080);`;
  const program = datagrams ? http + udp : http;
  const readinessProbe = { httpGet: { port: 8080, path: '/' }, periodSeconds: 1 };
  return deployment(name, {
    replicas,
    annotations,
    command: ['node', '-e', program],
    ports: [{ containerPort: 8080 }],
    readinessProbe,
  });
}

/** A Deployment of gRPC servers on port 50051: the answer to every unary call is a message with the pod's name as field 1. */
export function grpcServer(
  name: string,
  { replicas, annotations }: { replicas: number; annotations: Record<string, string> },
): string {
  const program = `
    const name = Buffer.from(require('node:os').hostname());
    const message = Buffer.concat([Buffer.from([10, name.length]), name]);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    const server = require('node:http2').createServer();
    server.on('stream', (call) => {
      call.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      call.on('wantTrailers', () => call.sendTrailers({ 'grpc-status': '0' }));
      call.resume().on('end', () => call.end(Buffer.concat([head, message])));
    });
    server.listen(50051);`;
  return deployment(name, {
    replicas,
    annotations,
    command: ['node', '-e', program],
    ports: [{ containerPort: 50_051 }],
    readinessProbe: { tcpSocket: { port: 50_051 }, periodSeconds: 1 },
  });
}

/** A Deployment of an HTTPS server on port 8443 with the certificate of a Secret: it answers with the name that it was asked for. */
export function tlsServer(name: string, secret: string): string {
  const program = `
    const { CERTIFICATE: cert, KEY: key } = process.env;
    require('node:https').createServer({ cert, key }, ({ socket }, response) => response.end(socket.servername)).listen(8443)`;
  const from = (key: string) => ({ valueFrom: { secretKeyRef: { name: secret, key } } });
  return deployment(name, {
    replicas: 1,
    annotations: {},
    command: ['node', '-e', program],
    env: [
      { name: 'CERTIFICATE', ...from('tls.crt') },
      { name: 'KEY', ...from('tls.key') },
    ],
    ports: [{ containerPort: 8443 }],
    readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
  });
}

/** A Deployment of one pod that does nothing: to run commands in. */
export function shell(name: string): string {
  return deployment(name, { replicas: 1, annotations: {}, command: ['sleep', '100000'] });
}

/** What a pod of the Deployment that `shell('client')` made gets from a URL. */
export async function fetchInPod(
  { cluster, namespace }: { cluster: Cluster; namespace: string },
  url: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const program = `
    const [, url, headers] = process.argv;
    fetch(url, { headers: JSON.parse(headers), signal: AbortSignal.timeout(2000) })
      .then((answer) => answer.text()).then(console.log)`;
  const node = ['node', '-e', program, url, JSON.stringify(headers)];
  return (await cluster.run('exec', '-n', namespace, 'deployment/client', '--', ...node)).trim();
}

/** The same in TLS, with a server whose certificate this authority signed. */
export async function fetchOverTls(
  { cluster, namespace }: { cluster: Cluster; namespace: string },
  url: string,
  authority: string,
): Promise<string> {
  const program = `
    const [, url, ca] = process.argv;
    require('node:https').get(url, { ca, signal: AbortSignal.timeout(2000) }, (answer) => answer.pipe(process.stdout));`;
  return (await cluster.run('exec', '-n', namespace, 'deployment/client', '--', 'node', '-e', program, url, authority)).trim();
}

/** What that pod gets to a datagram within two seconds. */
export async function askInPod(
  { cluster, namespace }: { cluster: Cluster; namespace: string },
  host: string,
  port: number,
): Promise<string> {
  const program = `
    const [, host, port] = process.argv;
    const socket = require('node:dgram').createSocket('udp4', (answer) => (console.log(String(answer)), process.exit()));
    setTimeout(() => process.exit(1), 2000);
    socket.send('?', port, host);`;
  const node = ['node', '-e', program, host, String(port)];
  return (await cluster.run('exec', '-n', namespace, 'deployment/client', '--', ...node)).trim();
}

/** What that pod gets to so many requests for a URL, one after the other on one connection. */
export function fetchOnOneConnection(
  pod: { cluster: Cluster; namespace: string },
  url: string,
  count: number,
): Promise<string[]> {
  const program = `
    const http = require('node:http');
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () => new Promise((resolve, reject) => http.get(process.argv[1], { agent, signal: AbortSignal.timeout(5000) }, (answer) => {
      let body = '';
      answer.on('data', (chunk) => (body += chunk)).on('end', () => resolve(body));
    }).on('error', reject));
    (async () => {
      const answers = [];
      while (answers.length < ${count}) answers.push(await ask());
      agent.destroy();
      console.log(answers.join(' '));
    })();`;
  return words(pod, program, url);
}

/** What that pod gets to so many unary gRPC calls, all at once on one channel: the texts in field 1 of the answers. */
export function callOnOneChannel(pod: { cluster: Cluster; namespace: string }, url: string, count: number): Promise<string[]> {
  const program = `
    const session = require('node:http2').connect(process.argv[1]);
    setTimeout(() => process.exit(1), 10_000).unref();
    const call = () => new Promise((resolve, reject) => {
      const stream = session.request({ ':method': 'POST', ':path': '/lab.Names/Tell', 'content-type': 'application/grpc', te: 'trailers' });
      const chunks = [];
      let status;
      stream.on('data', (chunk) => chunks.push(chunk)).on('trailers', (trailers) => (status = trailers['grpc-status']));
      stream.on('error', reject).on('end', () => {
        if (status === '0') resolve(Buffer.concat(chunks).subarray(7).toString());
        else reject(new Error('grpc-status ' + status));
      });
      stream.end(Buffer.alloc(5));
    });
    Promise.all(Array.from({ length: ${count} }, call)).then((names) => (session.close(), console.log(names.join(' '))));`;
  return words(pod, program, url);
}

async function words(
  { cluster, namespace }: { cluster: Cluster; namespace: string },
  program: string,
  url: string,
): Promise<string[]> {
  const printed = await cluster.run('exec', '-n', namespace, 'deployment/client', '--', 'node', '-e', program, url);
  return printed.trim().split(' ');
}

/** The Service in front of a Deployment of this module, of the same name and at port 80 unless told otherwise. */
export function service(
  name: string,
  annotations: Record<string, string> = {},
  { port = 80, targetPort = 8080, app = name }: { port?: number; targetPort?: number; app?: string } = {},
): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, annotations },
    spec: { selector: { app }, ports: [{ name: 'http', port, targetPort }] },
  });
}

function deployment(
  name: string,
  {
    replicas,
    annotations,
    ...container
  }: {
    replicas: number;
    annotations: Record<string, string>;
    command: string[];
    env?: object[];
    ports?: object[];
    readinessProbe?: object;
  },
): string {
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, annotations },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 1,
          securityContext: POD_SECURITY,
          containers: [{ name, image: 'node:24-alpine', securityContext: CONTAINER_SECURITY, ...container }],
        },
      },
    },
  });
}
