import { CaravanError } from '../../runtime/errors.ts';
import type { PodConfig } from './pod-config.ts';

export const TYPE = 'caravan';

/** A launch configuration of any debugger's, as far as it is read here. */
export interface InnerConfig {
  type: string;
  request: string;
  name: string;
  [property: string]: unknown;
}

/** A launch configuration of type `caravan`. */
export interface LaunchConfig extends PodConfig {
  name: string;
  /** What is run, as its debugger wants it. */
  launch?: Partial<InnerConfig>;
}

/**
 * The configuration of the inner debugger, with an environment. What it sets itself counts more than what the workload has.
 *
 * @throws {CaravanError} `bad-request` where it does not say what to run.
 */
export function withEnvironment({ name, launch }: LaunchConfig, variables: Record<string, string>): InnerConfig {
  const { type, request = 'launch' } = launch ?? {};
  if (typeof type !== 'string' || type === TYPE)
    throw new CaravanError('bad-request', `${name}: "launch" is missing; give the configuration that runs your program, such as {"type": "node", "program": "server.js"}.`); // prettier-ignore
  const inner = { ...launch, type, request, name };
  // The debuggers of C and C++ have a list of names and values.
  if (type.startsWith('cpp')) {
    const all = Object.entries(variables).map(([variable, value]) => ({ name: variable, value }));
    return { ...inner, environment: [...all, ...((launch?.['environment'] as unknown[] | undefined) ?? [])] };
  }
  return { ...inner, env: { ...variables, ...(launch?.['env'] as Record<string, unknown> | undefined) } };
}
