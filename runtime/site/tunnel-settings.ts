import type { Tunnel } from '../link/endpoint.ts';

/** The tunnel that the settings of a RouterAccess, AccessToken or Link name; a text is what is wrong. */
export function tunnelOf({ tunnel, tunnelCa }: Record<string, string>): Tunnel | string | undefined {
  if (tunnel === undefined) return undefined;
  const { protocol, username, search, hash } = URL.canParse(tunnel) ? new URL(tunnel) : new URL('about:blank');
  if (!/^https?:$/.test(protocol) || username + search + hash !== '')
    return 'settings.tunnel is no URL that leads to a site; use one such as https://shop.example.com/caravan.';
  if (tunnelCa !== undefined && !tunnelCa.includes('-----BEGIN CERTIFICATE-----'))
    return 'settings.tunnelCa is no certificate; use the PEM of the authority that signed what stands at the tunnel.';
  return { url: tunnel.replace(/\/+$/, ''), ...(tunnelCa !== undefined && { ca: tunnelCa }) };
}

export function tunnelSettings({ url, ca }: Tunnel): Record<string, string> {
  return { tunnel: url, ...(ca !== undefined && { tunnelCa: ca }) };
}
