/** Kubernetes' selectors as text: `app=backend,tier in (a, b),!canary`. */
import type { V1LabelSelector } from '@kubernetes/client-node';

const PART =
  /^(?:(?<key>[\w./-]+)\s*(?:(?<op>==?|!=)\s*(?<value>[\w.-]*)|(?<set>in|notin)\s*\((?<values>[^()]*)\))?|!\s*(?<absent>[\w./-]+))$/;

/** Undefined where the text is no selector. */
export function parseLabelSelector(text: string): V1LabelSelector | undefined {
  const matchExpressions: NonNullable<V1LabelSelector['matchExpressions']> = [];
  // A comma inside parentheses separates values, not requirements.
  for (const part of text.split(/,(?![^(]*\))/)) {
    const { key, op, value, set, values, absent } = PART.exec(part.trim())?.groups ?? {};
    if (absent) matchExpressions.push({ key: absent, operator: 'DoesNotExist' });
    else if (!key) return undefined;
    else if (op) matchExpressions.push({ key, operator: op === '!=' ? 'NotIn' : 'In', values: [value ?? ''] });
    else if (set)
      matchExpressions.push({
        key,
        operator: set === 'in' ? 'In' : 'NotIn',
        values: values!.split(',').map((each) => each.trim()),
      });
    else matchExpressions.push({ key, operator: 'Exists' });
  }
  return { matchExpressions };
}
