import { ApiClient } from '../../runtime/api/client.ts';
import type { Kubernetes } from '../../runtime/kubernetes/types.ts';
import type { OpenSite } from './site-api.ts';

/** Opens sites: over their socket, or through the API server of their context. */
export function siteOpener(kubernetes: () => Promise<Kubernetes>): OpenSite {
  return (ref) => {
    if (ref.where === 'local') return ApiClient.overSocket(ref.socket);
    const { kubeconfig, context, namespace } = ref;
    return new ApiClient(async (signal) =>
      (await kubernetes()).connectToSite({ kubeconfig, context, namespace }, 'api', signal ? { signal } : {}),
    );
  };
}
