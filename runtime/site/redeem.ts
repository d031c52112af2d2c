import type { RedeemedLink, RedeemTokenRequest } from '../api/types.ts';
import { MAX_MADE_NAME_LENGTH } from '../api/vocabulary.ts';
import { CaravanError, sentence } from '../errors.ts';
import type { Endpoint } from '../link/endpoint.ts';
import type { LinkConfig } from '../router/config.ts';
import { forwarded } from '../router/link-ways.ts';
import type { PortForwardDial } from '../router/outgoing-link.ts';
import { MAX_COST } from '../routing/limits.ts';
import { asName } from './resource-name.ts';
import { API_VERSION } from './resources.ts';
import type { StoreSource } from './store-source.ts';
import { tunnelOf, tunnelSettings } from './tunnel-settings.ts';
import { siteOf } from './wishes.ts';

interface Redeemer {
  site: { id: string; name: string };
  /** Links that there are already. */
  taken: LinkConfig[];
  commands: StoreSource;
  portForward: PortForwardDial | undefined;
}

const REDEEM_WITHIN_MS = 20_000;

/** Redeems a token and keeps the Link that comes of it, with its key, which was made here and never left. */
export async function redeemToken(
  { yaml, cost, name: wished, portForward: way }: RedeemTokenRequest,
  { site, taken, commands, portForward }: Redeemer,
): Promise<RedeemedLink> {
  // Loaded here: node-forge is large, and a site that redeems nothing never needs it.
  const { claimAddress, NO_WAY_IN_HOST, tokenFromYaml } = await import('../identity/token.ts');
  const { makeSigningRequest } = await import('../identity/certificates.ts');
  const { claimWithToken } = await import('./claims.ts');
  const token = tokenFromYaml(yaml);
  if (cost !== undefined && !(Number.isInteger(cost) && cost >= 1 && cost <= MAX_COST))
    throw new CaravanError('bad-request', `The cost is ${cost}; it must be a whole number from 1 to ${MAX_COST}.`);
  const peerId = siteOf(token.ca);
  if (peerId === undefined)
    throw new CaravanError('token-invalid', 'the token cannot be read: its certificate is damaged. Copy it again, whole.');
  if (peerId === site.id)
    throw new CaravanError('bad-request', 'the token was issued by this very site; redeem it at another one.');
  const { key, request } = await makeSigningRequest(site.id);
  const transport = way && (await forward(way, portForward));
  const admission = await claimWithToken(token, request, site.name, { transport });
  const name = linkName(wished ?? admission.site, peerId, taken);
  const tunnel = tunnelOf(token.settings ?? {});
  const settings = way
    ? { context: way.context, namespace: way.namespace, ...(way.kubeconfig && { kubeconfig: way.kubeconfig }) }
    : typeof tunnel === 'object' && tunnelSettings(tunnel);
  const address = claimAddress(token);
  const isTold = transport || address.host === NO_WAY_IN_HOST;
  const endpoints = (isTold ? admission.endpoints : withProven(address, admission.endpoints)).map(({ host, port }) => ({
    name: 'inter-router',
    host,
    port: String(port),
  }));
  await commands.put('Link', name, [
    {
      apiVersion: API_VERSION,
      kind: 'Link',
      metadata: { name },
      spec: { endpoints, tlsCredentials: name, cost: cost ?? token.linkCost, ...(settings && { settings }) },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name },
      stringData: { 'ca.crt': token.ca, 'tls.crt': admission.certificate, 'tls.key': key },
    },
  ]);
  return { link: name, peer: admission.site };
}

/** The way that the claim has just gone comes first: the site may have other addresses than it knows of. */
function withProven({ host, port }: Endpoint, told: Endpoint[]): Endpoint[] {
  return [{ host, port }, ...told.filter((other) => other.host !== host || other.port !== port)];
}

async function forward(way: NonNullable<RedeemTokenRequest['portForward']>, dial: PortForwardDial | undefined) {
  try {
    return await forwarded(way, dial, AbortSignal.timeout(REDEEM_WITHIN_MS));
  } catch (error) {
    if (error instanceof CaravanError) throw error;
    throw new CaravanError('unreachable', `The site cannot be reached through the context ${way.context}: ${sentence(error)}.`, {
      cause: error,
    });
  }
}

/** A name for the link: the peer's, unless a link to another site has it. Redeeming again for the same peer replaces its link. */
function linkName(wished: string, peerId: string, taken: readonly LinkConfig[]): string {
  const base = asName(wished) || 'link';
  const other = taken.find(({ name, siteId }) => name === base && siteId !== peerId);
  return other ? asName(`${base.slice(0, MAX_MADE_NAME_LENGTH - 9)}-${peerId.slice(0, 8)}`) : base;
}
