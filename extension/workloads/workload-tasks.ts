import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import { guarded } from '../commands/command.ts';
import { TYPE } from './launch-config.ts';
import type { PodConfig } from './pod-config.ts';
import { workloadEnvironment } from './workload-environment.ts';

interface WorkloadTask extends vscode.TaskDefinition, PodConfig {
  command?: string;
}

/** Tasks of type `caravan`: a command with the environment of a workload's pods. */
export class WorkloadTasks implements vscode.TaskProvider {
  readonly #caravan: Caravan;

  constructor(caravan: Caravan) {
    this.#caravan = caravan;
  }

  /** None are guessed: a command is somebody's own. */
  provideTasks(): vscode.Task[] {
    return [];
  }

  async resolveTask(task: vscode.Task): Promise<vscode.Task | undefined> {
    const definition = task.definition as WorkloadTask;
    const { command } = definition;
    if (!command) return undefined;
    let resolved: vscode.Task | undefined;
    await guarded(this.#caravan, 'task', async () => {
      const env = await workloadEnvironment(this.#caravan, definition);
      // It must have the very definition that it was asked for.
      const scope = task.scope ?? vscode.TaskScope.Workspace;
      resolved = new vscode.Task(definition, scope, task.name, TYPE, new vscode.ShellExecution(command, { env }));
    });
    return resolved;
  }
}

export function registerWorkloadTasks(caravan: Caravan): vscode.Disposable {
  return vscode.tasks.registerTaskProvider(TYPE, new WorkloadTasks(caravan));
}
