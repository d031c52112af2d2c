import type { Protocol } from '../../api/vocabulary.ts';
import type { Resource, Spec } from '../../site/resources.ts';

interface ServiceListener {
  name: string;
  /** The Service. */
  service: string;
  address: string;
  type: Protocol;
  host: string;
  port: number;
  /** Its clients speak TLS: the Secret with the certificate that they are shown. */
  credentials: string | undefined;
  settings: Spec<'Listener'>['settings'];
}

/** A listener of the router behind a Service. */
export function serviceListener({ name, service, address, credentials, settings, ...common }: ServiceListener): Resource {
  return {
    kind: 'Listener',
    name,
    where: `Service ${service}`,
    spec: {
      routingKey: address,
      ...common,
      ...(credentials !== undefined && { tlsCredentials: credentials }),
      settings: { ...settings, ...(credentials !== undefined && ANY_CLIENT) },
    },
  };
}

/** Of a listener with TLS. What makes certificates (cert-manager, say) puts `ca.crt` beside them, which is not meant for clients there. */
export const ANY_CLIENT = { verifyClients: 'false' };
