import { logDefects } from '../defects.ts';
import { ApiServer } from '../api/server.ts';
import { CaravanError } from '../errors.ts';
import { API_PORT, HEALTH_PORT } from '../kubernetes/ports.ts';
import { createLog } from '../log.ts';
import { Site } from '../site/site.ts';
import type { Io } from './command.ts';
import { serveHealth } from './health.ts';
import { startedWithin, startLifetime } from './lifetime.ts';
import { loadKubernetes } from './load-kubernetes.ts';
import { dialPortForward } from './port-forward.ts';
import { reportProblems } from './problems.ts';
import { startPatiently } from './start-patiently.ts';

/** Runs the site of the pod's namespace until the pod ends. The management API is on loopback: a port-forward is the way to it. */
export async function runInPod(io: Io): Promise<void> {
  const log = createLog({ format: 'json' });
  logDefects(log);
  const lifetime = startLifetime();
  const { CARAVAN_NAMESPACE: namespace, CARAVAN_HOST_IP: hostIp, KUBERNETES_SERVICE_HOST: apiServer } = process.env;
  if (!namespace || !apiServer)
    throw new CaravanError(
      'bad-request',
      `${namespace ? 'KUBERNETES_SERVICE_HOST' : 'CARAVAN_NAMESPACE'} is missing: --kubernetes is for the pod that creating a site makes.`,
    );

  let ready = false;
  let running: Site | undefined;
  const health = await serveHealth(
    HEALTH_PORT,
    () => ready,
    () => running?.status(),
  );
  const api = new ApiServer({ log: log.named('api') });
  try {
    await api.listenOnPort(API_PORT);
    const { inCluster } = await loadKubernetes();
    const cluster = inCluster({ namespace, ...(hostIp && { hostIp }), log: log.named('namespace') });
    const start = () =>
      Site.start({
        store: cluster.store,
        sources: (view) => [cluster.source(view)],
        platform: 'kubernetes',
        namespace,
        portForward: dialPortForward,
        log,
      });
    const end = new AbortController();
    void lifetime.ended.then(() => end.abort());
    const starting = startPatiently(start, { log, signal: end.signal });
    const site = await startedWithin(lifetime, starting);
    if (!site) return;
    api.attach(site);
    running = site;
    ready = true;
    const silence = reportProblems(site, ({ where, message }) => log.warn(message, { where }));
    io.out(`caravan: site ${site.status().site.name} is ready, port ${API_PORT}\n`);
    const reason = await lifetime.ended;
    // Not ready first: the Service sends no new links here while those that run are drained.
    ready = false;
    log.info('ends', { reason });
    silence();
    await site.close();
  } finally {
    await Promise.all([api.close(), health.close()]);
  }
}
