import type { AccessStatus, IssuedToken, IssueTokenRequest } from '../api/types.ts';
import { CaravanError } from '../errors.ts';
import type { Grants } from '../identity/grants.ts';
import { endpointName, type Tunnel } from '../link/endpoint.ts';
import { durationMs } from './resources.ts';
import { tunnelSettings } from './tunnel-settings.ts';

const DEFAULT_LIFE = '15m';

/** The site that issues a token. */
export interface Issuer {
  siteName: string;
  /** Whether it takes links at all. */
  takesLinks: boolean;
  /** Where it is reached by host and port; undefined: nowhere, or nobody knows. */
  endpoint: AccessStatus | undefined;
  tunnel: Tunnel | undefined;
  /** PEM. */
  authority: string;
  grants: Grants;
}

/** A grant, and the token for it. Rejects with `no-way-in` where the site takes no links. */
export async function issueToken(
  { expires = DEFAULT_LIFE, uses = 1 }: IssueTokenRequest,
  { siteName, takesLinks, endpoint, tunnel, authority, grants }: Issuer,
): Promise<IssuedToken> {
  const { NO_WAY_IN_HOST, tokenToYaml } = await import('../identity/token.ts');
  if (!takesLinks)
    throw new CaravanError(
      'no-way-in',
      `${siteName} takes no links: it has no RouterAccess. Add one, or issue the token at the other site.`,
    );
  const grant = await grants.make(durationMs(expires) ?? 0, uses);
  const { host, port } = endpoint ?? { host: NO_WAY_IN_HOST, port: 443 };
  const token = {
    name: grant.name,
    url: `https://${endpointName({ host, port })}/claims/${grant.name}`,
    code: grant.code,
    ca: authority,
    linkCost: 1,
    ...(tunnel && { settings: tunnelSettings(tunnel) }),
  };
  return { yaml: tokenToYaml(token), name: grant.name, expires: grant.expires, uses };
}
