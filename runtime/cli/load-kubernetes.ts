import { CaravanError, sentence } from '../errors.ts';

/** What the Kubernetes client's own HTTP library asks for. The rest of the runtime is content with Node 20. */
const LEAST_NODE = 22;

/** The part with the Kubernetes client: large, so it is loaded on first use. */
export async function loadKubernetes() {
  try {
    return await import('../kubernetes/index.ts');
  } catch (error) {
    const { version, versions } = process;
    const why =
      Number.parseInt(versions.node, 10) < LEAST_NODE
        ? `it needs Node ${LEAST_NODE} or newer, and this is ${version}`
        : `${sentence(error)}. Install Caravan again`;
    throw new CaravanError('bad-request', `The Kubernetes client cannot be loaded: ${why}.`, { cause: error });
  }
}
