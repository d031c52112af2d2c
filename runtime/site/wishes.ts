import { X509Certificate } from 'node:crypto';
import type { Problem } from '../api/types.ts';
import { DISTRIBUTIONS, LISTENER_DISTRIBUTIONS, whyNotDistributed } from '../api/vocabulary.ts';
import { type Tunnel, tunnelEndpoint } from '../link/endpoint.ts';
import type { ConnectorConfig, LinkConfig, ListenerConfig } from '../router/config.ts';
import { type AddressChoice, addressesOf } from '../routing/address-choice.ts';
import type { Distribution, Protocol } from '../routing/types.ts';
import { type ConnectorResource, durationMs, type Resource, type ResourceKind, type Spec } from './resources.ts';
import { sharingOf } from './sharing.ts';
import { tunnelOf } from './tunnel-settings.ts';
import { connectorTls, listenerTls, type Secrets, whyNotListenerCredentials } from './tls-wishes.ts';

/** Timers take no more than 24 days. */
const MAX_IDLE_MS = 500 * 3_600_000;

/** What the router is to do, worked out from every resource together. */
export interface Wishes {
  siteName: string | undefined;
  /** It hangs on other sites, and takes no links. Read when the router starts. */
  edge: boolean;
  autoListen: boolean;
  /** A proxy on loopback, 0 for a port that the system chooses, and where that stands. */
  proxy: { port: number; where: string } | undefined;
  access: AccessWish | undefined;
  listeners: ListenerConfig[];
  connectors: ConnectorConfig[];
  links: LinkConfig[];
  problems: Problem[];
}

/** Where links come in. */
export interface AccessWish {
  host: string | undefined;
  port: number;
  advertisedHost: string | undefined;
  /** A proxy that ends TLS leads here. */
  tunnel: Tunnel | undefined;
  /** Takes tunnels in plain HTTP. */
  tunnelPort: number | undefined;
}

type Of<K extends ResourceKind> = Extract<Resource, { kind: K }>;

/** Pure: the same resources in any order give the same wishes. */
export function wishesOf(resources: readonly Resource[]): Wishes {
  const problems: Problem[] = [];
  const all = withoutDoubles(resources, problems);
  const of = <K extends ResourceKind>(kind: K) => all.filter((resource): resource is Of<K> => resource.kind === kind);
  const only = <K extends ResourceKind>(kind: K): Of<K> | undefined => {
    const [first, ...others] = of(kind);
    for (const { where } of others)
      problems.push({ where, message: `There is a ${kind} already (${first!.where}); a site has one. Remove one of the two.` });
    return first;
  };
  const site = only('Site');
  const routerAccess = only('RouterAccess');
  const edge = site?.spec.edge ?? false;
  if (edge && routerAccess)
    problems.push({
      where: routerAccess.where,
      message: `An edge site takes no links. Remove the RouterAccess, or "edge: true" from Site ${site!.name}.`,
    });
  const secrets = new Map(of('Secret').map(({ name, spec }) => [name, spec]));
  return {
    siteName: site?.name,
    edge,
    autoListen: autoListen(site, problems),
    proxy: proxyOf(site, problems),
    access: edge ? undefined : routerAccess && accessOf(routerAccess, problems),
    listeners: [...of('Listener'), ...of('MultiKeyListener')].flatMap((resource) => listenerOf(resource, secrets, problems)),
    connectors: of('Connector').flatMap((resource) => connectorOf(resource, secrets, problems)),
    links: of('Link').flatMap((resource) => linkOf(resource, secrets, problems)),
    problems: [...problems, ...[...of('AccessGrant'), ...of('AccessToken')].map(notFromResources)],
  };
}

function withoutDoubles(resources: readonly Resource[], problems: Problem[]): Resource[] {
  const byKey = new Map<string, Resource>();
  for (const resource of [...resources].sort(inOrder)) {
    const key = `${resource.kind}/${resource.name}`;
    const first = byKey.get(key);
    if (!first) byKey.set(key, resource);
    else
      problems.push({
        where: resource.where,
        message: `There is a ${resource.kind} named ${resource.name} already (${first.where}); rename or remove one of the two.`,
      });
  }
  return [...byKey.values()];
}

/** By place, lines as numbers; those of one place by kind and name. */
function inOrder(a: Resource, b: Resource): number {
  return ORDER.compare(a.where, b.where) || ORDER.compare(a.kind, b.kind) || ORDER.compare(a.name, b.name);
}

const ORDER = new Intl.Collator('en', { numeric: true });

function autoListen(site: Of<'Site'> | undefined, problems: Problem[]): boolean {
  const wanted = site?.spec.settings['autoListen'];
  if (wanted === undefined || wanted === 'loopback' || wanted === 'none') return wanted === 'loopback';
  problems.push({ where: site!.where, message: `Site ${site!.name}: settings.autoListen is "${wanted}"; use loopback or none.` });
  return false;
}

function proxyOf(site: Of<'Site'> | undefined, problems: Problem[]): Wishes['proxy'] {
  const wanted = site?.spec.settings['proxyPort'];
  if (wanted === undefined) return undefined;
  if (/^\d{1,5}$/.test(wanted) && Number(wanted) <= 65_535) return { port: Number(wanted), where: site!.where };
  const message = `Site ${site!.name}: settings.proxyPort is "${wanted}"; use a port from 1 to 65535, or 0 for any that is free.`;
  problems.push({ where: site!.where, message });
  return undefined;
}

function accessOf({ name, spec, where }: Of<'RouterAccess'>, problems: Problem[]): AccessWish {
  const role = spec.roles.find((each) => each.name === 'inter-router') ?? spec.roles[0]!;
  const tunnel = tunnelOf(spec.settings);
  const tunnelPort = tunnelPortOf(spec.settings);
  for (const wrong of [tunnel, tunnelPort])
    if (typeof wrong === 'string') problems.push({ where, message: `RouterAccess ${name}: ${wrong}` });
  return {
    host: spec.bindHost,
    port: role.port,
    advertisedHost: spec.settings['host'],
    tunnel: typeof tunnel === 'string' ? undefined : tunnel,
    tunnelPort: typeof tunnelPort === 'string' ? undefined : tunnelPort,
  };
}

/** A text is what is wrong. */
function tunnelPortOf({ tunnelPort }: Record<string, string>): number | string | undefined {
  if (tunnelPort === undefined) return undefined;
  const port = Number(tunnelPort);
  if (/^\d{1,5}$/.test(tunnelPort) && port >= 1 && port <= 65_535) return port;
  return `settings.tunnelPort is "${tunnelPort}"; use a port from 1 to 65535.`;
}

function listenerOf(resource: Of<'Listener'> | Of<'MultiKeyListener'>, secrets: Secrets, problems: Problem[]): ListenerConfig[] {
  const { kind, name, spec, where } = resource;
  const { type, host, port, settings } = spec;
  const complain = (message: string) => {
    problems.push({ where, message: `${kind} ${name}: ${message}` });
    return [];
  };
  if (resource.kind === 'Listener' && resource.spec.routingKey === '' && type !== 'amqp')
    return complain('spec.routingKey is empty, which is for type amqp only; name the address.');
  if (kind === 'MultiKeyListener' && type === 'amqp')
    return complain('spec.type is amqp, whose clients name the address of each message; use a Listener.');
  const wrong = wrongServicePort(settings);
  if (wrong !== undefined) return complain(wrong);
  const tls = listenerTls(spec, secrets);
  if (typeof tls === 'string') return complain(`${tls}.`);
  const idleMs = idleTimeout(type, settings['idleTimeout']);
  if (typeof idleMs === 'string') return complain(idleMs);
  const { distribution } = settings;
  if (distribution !== undefined && !isOfListener(distribution))
    return complain(`settings.distribution is "${distribution}"; a listener's is balanced or closest.`);
  const servicePort = Number(settings['servicePort'] ?? port);
  const options = {
    ...(tls && { tls }),
    ...(distribution !== undefined && { distribution }),
    ...(idleMs !== undefined && { idleMs }),
  };
  const common = { name, type, host, port, servicePort, orAnyPort: false, source: where, ...options };
  if (resource.kind === 'Listener') return [{ ...common, address: resource.spec.routingKey }];
  const choice = choiceOf(resource.spec.strategy);
  return [{ ...common, address: addressesOf(choice).join(', '), choice }];
}

function isOfListener(distribution: string): distribution is Exclude<Distribution, 'multicast'> {
  return (LISTENER_DISTRIBUTIONS as readonly string[]).includes(distribution);
}

/** An offer with a port that is none would be refused by every neighbour, with the whole link. */
function wrongServicePort({ servicePort }: Record<string, string>): string | undefined {
  if (servicePort === undefined || (/^\d{1,5}$/.test(servicePort) && Number(servicePort) >= 1 && Number(servicePort) <= 65_535))
    return undefined;
  return `settings.servicePort is "${servicePort}"; use a port from 1 to 65535.`;
}

/** Milliseconds; a text is what is wrong. */
function idleTimeout(type: Protocol, written: string | undefined): number | string | undefined {
  if (written === undefined) return undefined;
  if (type !== 'tcp') return `settings.idleTimeout is for tcp, not for ${type}; remove it.`;
  const ms = durationMs(written) ?? 0;
  if (ms >= 1 && ms <= MAX_IDLE_MS) return ms;
  return `settings.idleTimeout is "${written}"; use a duration such as 5m, at most ${MAX_IDLE_MS / 3_600_000}h.`;
}

function choiceOf({ priority, weighted }: Spec<'MultiKeyListener'>['strategy']): AddressChoice {
  return priority
    ? { strategy: 'priority', addresses: priority.routingKeys }
    : { strategy: 'weighted', weights: weighted!.routingKeys };
}

function connectorOf(
  { name, spec, where, targets, pending }: ConnectorResource,
  secrets: Secrets,
  problems: Problem[],
): ConnectorConfig[] {
  const distribution = (spec.settings['distribution'] ?? 'balanced') as Distribution;
  const complain = (message: string) => {
    problems.push({ where, message: `Connector ${name}: ${message}` });
    return [];
  };
  if (!DISTRIBUTIONS.includes(distribution))
    return complain(`settings.distribution is "${distribution}"; use ${DISTRIBUTIONS.join(', ')}.`);
  const cannot = whyNotDistributed(spec.type, distribution);
  if (cannot) return complain(`${cannot}.`);
  const wrong = wrongServicePort(spec.settings);
  if (wrong !== undefined) return complain(wrong);
  if (!targets && spec.selector !== undefined)
    return complain('spec.selector finds pods on Kubernetes only; use spec.host here.');
  if (!targets && spec.host === undefined) return complain('spec.host is missing; name the host that the server runs on.');
  const tls = connectorTls(spec, targets ? undefined : spec.host, secrets);
  if (typeof tls === 'string') return complain(`${tls}.`);
  const wrongCredentials = whyNotListenerCredentials(spec);
  if (wrongCredentials !== undefined) return complain(`${wrongCredentials}.`);
  const { routingKey: address, type, port, host } = spec;
  const sharing = sharingOf(spec);
  if (typeof sharing === 'string') return complain(sharing);
  const { proxyProtocol, listenerCredentials } = spec.settings;
  // A service port of its own means one of several: see "Addresses and ports" in docs/architecture.md.
  const servicePort = spec.settings['servicePort'];
  const own = targets ?? [{ host: host!, port, name: `${host}:${port}` }];
  return [
    {
      name,
      address,
      type,
      distribution,
      ...sharing,
      ...(listenerCredentials !== undefined && { listenerCredentials }),
      port: Number(servicePort ?? port),
      exact: servicePort !== undefined,
      targets: own,
      pending,
      source: where,
      ...(tls && { tls }),
      ...(proxyProtocol && { proxyProtocol: true as const }),
    },
  ];
}

function linkOf({ name, spec, where }: Of<'Link'>, secrets: Secrets, problems: Problem[]): LinkConfig[] {
  const complain = (message: string) => {
    problems.push({ where, message: `Link ${name}: ${message}` });
    return [];
  };
  const secret = secrets.get(spec.tlsCredentials);
  if (!secret) return complain(`there is no Secret named ${spec.tlsCredentials} with its certificates; redeem its token again.`);
  const { context, namespace, kubeconfig } = spec.settings;
  const portForward =
    context === undefined ? undefined : { context, namespace: namespace ?? 'default', ...(kubeconfig && { kubeconfig }) };
  const tunnel = tunnelOf(spec.settings);
  if (typeof tunnel === 'string') return complain(tunnel);
  if (spec.endpoints.length === 0 && !tunnel && !portForward) return complain('spec.endpoints is empty; name a host and a port.');
  const { 'ca.crt': authority, 'tls.crt': certificate, 'tls.key': key } = secret;
  if (authority === undefined || certificate === undefined || key === undefined)
    return complain(`the Secret ${spec.tlsCredentials} needs ca.crt, tls.crt and tls.key; redeem its token again.`);
  const siteId = siteOf(authority);
  if (siteId === undefined || siteOf(certificate) === undefined) {
    const wrong = siteId === undefined ? 'ca.crt' : 'tls.crt';
    return complain(`${wrong} of the Secret ${spec.tlsCredentials} is no certificate; redeem its token again.`);
  }
  const credentials = { authority, certificate, key };
  const direct = spec.endpoints.map(({ host, port }) => ({ host, port }));
  const endpoints = [...direct, ...(tunnel ? [tunnelEndpoint(tunnel)] : [])];
  return [{ name, cost: spec.cost, endpoints, credentials, siteId, portForward }];
}

function notFromResources({ kind, name, where }: Of<'AccessGrant'> | Of<'AccessToken'>): Problem {
  const instead = kind === 'AccessGrant' ? 'caravan token issue' : 'caravan token redeem FILE';
  return { where, message: `${kind} ${name}: this is done by a command, not by a resource: ${instead}.` };
}

/** The id of the site that a certificate names. */
export function siteOf(certificate: string): string | undefined {
  try {
    return /^CN=(.+)$/m.exec(new X509Certificate(certificate).subject)?.[1];
  } catch {
    return undefined;
  }
}
