/** For tests only: what a JSON merge patch (RFC 7396) makes of an object, as the API server does it. Lists are replaced whole, null takes away. */
export function merged(to: unknown, change: unknown): unknown {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) return structuredClone(change);
  const result: Record<string, unknown> = { ...(to as object | undefined) };
  for (const [key, value] of Object.entries(change))
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = merged(result[key], value);
  return result;
}
