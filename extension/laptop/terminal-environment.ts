import { serviceEnvironment } from '../../runtime/api/environment.ts';
import type { Status } from '../../runtime/api/types.ts';

/** VS Code's EnvironmentVariableCollection, as far as it is written to. */
export interface VariablesLike {
  persistent: boolean;
  description: unknown;
  replace(variable: string, value: string): void;
  delete(variable: string): void;
}

/**
 * What integrated terminals find in their environment, tasks and debug sessions in them included: where the network's services are.
 * Only what changed is written: VS Code marks every open terminal as outdated at each change.
 */
export class TerminalEnvironment {
  readonly #variables: VariablesLike;
  #now: Record<string, string> = {};

  constructor(variables: VariablesLike) {
    this.#variables = variables;
    // The next window learns for itself whether the router still runs.
    variables.persistent = false;
    variables.description = 'Where services of the network are on this laptop';
  }

  /** As the laptop's router says it; undefined where none runs. */
  update(status: Pick<Status, 'services' | 'listeners'> | undefined): void {
    const next = status ? serviceEnvironment(status) : {};
    for (const name of Object.keys(this.#now)) if (!(name in next)) this.#variables.delete(name);
    for (const [name, value] of Object.entries(next)) if (this.#now[name] !== value) this.#variables.replace(name, value);
    this.#now = next;
  }
}
