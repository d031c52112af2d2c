import { stringify } from 'yaml';
import { CaravanError } from '../errors.ts';
import { API_VERSION, parseResources, type Spec } from '../site/resources.ts';

/** What a token says, ready to be redeemed. */
export interface Token extends Pick<Spec<'AccessToken'>, 'url' | 'code' | 'ca' | 'linkCost'> {
  name: string;
  /** The tunnel that leads to the site, where there is one. */
  settings?: Spec<'AccessToken'>['settings'];
}

/** Stands in a token's URL where no host and port lead to its site: it is redeemed through the tunnel that it names, or a port-forward. */
export const NO_WAY_IN_HOST = 'port-forward.invalid';

export function tokenToYaml({ name, ...spec }: Token): string {
  return stringify({ apiVersion: API_VERSION, kind: 'AccessToken', metadata: { name }, spec }, { lineWidth: 0 });
}

/** Reads the one AccessToken of a text; throws `token-invalid` with what is wrong with it. */
export function tokenFromYaml(yaml: string): Token {
  const { resources, problems } = parseResources(yaml, 'the token');
  const tokens = resources.filter((resource) => resource.kind === 'AccessToken');
  const [token] = tokens;
  if (problems[0]) throw invalid(`${problems[0].message} (${problems[0].where})`);
  if (!token) throw invalid('There is no AccessToken in it.');
  if (tokens.length > 1) throw invalid('There is more than one AccessToken in it; redeem them one by one.');
  return { name: token.name, ...token.spec };
}

/** Where a token is redeemed. */
export function claimAddress({ url }: Pick<Token, 'url'>): { host: string; port: number; path: string } {
  const { hostname, port, pathname } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443), path: pathname };
}

function invalid(why: string): CaravanError {
  return new CaravanError(
    'token-invalid',
    `the token cannot be read. ${why} Copy it again, whole, or ask for a new one: caravan token issue`,
  );
}
