import type { ExposeRequest, ListenRequest } from '../api/types.ts';
import { whyNotAggregated, whyNotDistributed } from '../api/vocabulary.ts';
import { CaravanError } from '../errors.ts';
import { resourceName } from './resource-name.ts';
import { API_VERSION } from './resources.ts';

/** A resource that a request asks for, with the Secret that belongs to it. */
export interface WishedResource {
  kind: 'Connector' | 'Listener';
  name: string;
  spec: object;
  secret?: { name: string; keys: Record<string, string | undefined> } | undefined;
}

/** The Connector that leads to a server of this site. Throws `bad-request` where it makes no sense. */
export function exposedConnector(request: ExposeRequest): WishedResource {
  const { address, port, host = '127.0.0.1', type = 'tcp', distribution = 'balanced' } = request;
  const { aggregate, header, pathPrefix, weight, proxyProtocol, tls, listenerCredentials } = request;
  const wrong = whyNotDistributed(type, distribution) ?? (aggregate && whyNotAggregated(type, distribution));
  if (wrong) throw new CaravanError('bad-request', `${wrong}.`);
  const name = resourceName(address, port);
  const { authority, serverName, insecure, client } = tls ?? {};
  const secret =
    authority !== undefined || client
      ? {
          name: `connector-${name}`,
          keys: { 'ca.crt': authority, 'tls.crt': client?.certificate, 'tls.key': client?.key },
        }
      : undefined;
  const settings = {
    distribution,
    ...(aggregate && { aggregate }),
    ...(header !== undefined && { header }),
    ...(pathPrefix !== undefined && { pathPrefix }),
    ...(weight !== undefined && { weight: String(weight) }),
    ...(proxyProtocol && { proxyProtocol }),
    ...(tls && { tls: insecure ? 'insecure' : authority === undefined ? 'true' : undefined }),
    ...(serverName !== undefined && { tlsServerName: serverName }),
    ...(listenerCredentials !== undefined && { listenerCredentials }),
  };
  const spec = { routingKey: address, port, host, type, ...(client && { useClientCert: true }), settings };
  return { kind: 'Connector', name, spec, secret };
}

/** The Listener for clients of this site. Throws `bad-request` where it makes no sense. */
export function wishedListener(request: ListenRequest): WishedResource {
  const { address, port, host = '127.0.0.1', type = 'tcp', servicePort, distribution, idleTimeout, tls, alpn } = request;
  if (address === '' && type !== 'amqp')
    throw new CaravanError(
      'bad-request',
      `The address is empty, which is for amqp only; name the one that clients of ${type} reach.`,
    );
  const name = resourceName(address || type, port);
  const secret = tls && {
    name: `listener-${name}`,
    keys: { 'tls.crt': tls.certificate, 'tls.key': tls.key, 'ca.crt': tls.clientAuthority },
  };
  const settings = {
    ...(servicePort !== undefined && { servicePort: String(servicePort) }),
    ...(distribution && { distribution }),
    ...(idleTimeout !== undefined && { idleTimeout }),
    ...(alpn !== undefined && { alpn }),
  };
  return { kind: 'Listener', name, spec: { routingKey: address, port, host, type, settings }, secret };
}

/** As `StoreSource` keeps it: the resource first. */
export function documentsOf({ kind, name, spec, secret }: WishedResource): object[] {
  const resource = {
    apiVersion: API_VERSION,
    kind,
    metadata: { name },
    spec: { ...spec, ...(secret && { tlsCredentials: secret.name }) },
  };
  if (!secret) return [resource];
  return [resource, { apiVersion: 'v1', kind: 'Secret', metadata: { name: secret.name }, stringData: secret.keys }];
}
