import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { writeKubeconfig } from './kubeconfig.ts';

/** A context whose API server never answers, alone in a kubeconfig file of its own. */
export interface SilentContext {
  context: string;
  kubeconfigPath: string;
  close(): void;
}

/**
 * @param directory Where its kubeconfig file is written to.
 * @param address One that takes packets and does not answer, as behind a VPN that is down. Without it, a port of this machine that
 *   takes connections and never says a word, as behind a proxy that hangs.
 */
export async function createSilentContext(directory: string, address?: string): Promise<SilentContext> {
  const kubeconfigPath = join(directory, 'silent.kubeconfig');
  const listener = address ? undefined : await listenSilently();
  const server = `https://${address ?? '127.0.0.1'}:${listener?.port ?? 6443}`;
  await writeKubeconfig(kubeconfigPath, [{ context: 'silent', cluster: { server }, user: { token: 'silent' } }]);
  return {
    context: 'silent',
    kubeconfigPath,
    close: () => listener?.close(),
  };
}

async function listenSilently(): Promise<{ port: number; close(): void }> {
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => connections.delete(socket));
    socket.resume();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close() {
      server.close();
      for (const socket of connections) socket.destroy();
    },
  };
}
