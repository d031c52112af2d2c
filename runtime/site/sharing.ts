import { CONNECTOR_SETTINGS, whyNotSetting } from '../api/connector-settings.ts';
import { readField } from '../api/header-field.ts';
import { type Aggregate, AGGREGATES, INTERCEPTS, whyNotAggregated, whyNotIntercepted } from '../api/vocabulary.ts';
import type { ConnectorConfig } from '../router/config.ts';
import type { Intercept } from '../routing/intercept.ts';
import type { Distribution, Protocol } from '../routing/types.ts';
import type { Spec } from './resources.ts';

type Sharing = Pick<ConnectorConfig, 'rule' | 'weight' | 'aggregate' | 'intercept'>;

/** Which requests a connector takes, and how many; one sentence where that makes no sense. */
export function sharingOf({ type, settings }: Spec<'Connector'>): Sharing | string {
  const { header, pathPrefix: path, weight, aggregate, intercept } = settings;
  for (const setting of CONNECTOR_SETTINGS) {
    const value = settings[setting];
    const unfit = value === undefined ? undefined : whyNotSetting(setting, value, type, `settings.${setting}`);
    if (unfit !== undefined) return unfit;
  }
  const field = header === undefined ? undefined : readField(header);
  if (aggregate !== undefined && !(AGGREGATES as readonly string[]).includes(aggregate))
    return `settings.aggregate is "${aggregate}"; use ${AGGREGATES.join(' or ')}.`;
  const apart =
    aggregate === undefined ? undefined : whyNotAggregated(type, (settings['distribution'] ?? 'balanced') as Distribution);
  if (apart !== undefined) return `settings.aggregate: ${apart}.`;
  const wrong = intercept === undefined ? undefined : whyNoIntercept(type, settings);
  if (wrong !== undefined) return wrong;
  const rule = {
    ...(field && { header: field }),
    ...(path !== undefined && { path }),
  };
  return {
    ...(Object.keys(rule).length > 0 && { rule }),
    ...(weight !== undefined && { weight: Number(weight) }),
    ...(aggregate !== undefined && { aggregate: aggregate as Aggregate }),
    ...(intercept !== undefined && { intercept: intercept as Intercept }),
  };
}

function whyNoIntercept(
  type: Protocol,
  { intercept, header, pathPrefix, distribution }: Record<string, string>,
): string | undefined {
  if (!(INTERCEPTS as readonly (string | undefined)[]).includes(intercept))
    return `settings.intercept is "${intercept}"; use ${INTERCEPTS.join(', ')}.`;
  const cannot = whyNotIntercepted(type, intercept as Intercept);
  if (cannot !== undefined) return `settings.intercept: ${cannot}.`;
  if (distribution === 'multicast') return 'settings.intercept is not for what goes to all servers; leave it out.';
  const chooses = header !== undefined || pathPrefix !== undefined;
  if (intercept === 'take-some' && !chooses)
    return 'settings.intercept is "take-some"; say which with settings.header, such as "baggage: caravan=ada".';
  if (intercept === 'take-over' && chooses) return 'settings.intercept is "take-over", which is for all requests; use take-some.';
  return undefined;
}
