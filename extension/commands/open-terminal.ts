import * as vscode from 'vscode';
import { proxyEnvironment, serviceEnvironment } from '../../runtime/api/environment.ts';
import { CaravanError } from '../../runtime/errors.ts';
import type { Command } from './command.ts';

/** A terminal whose programs reach services by the names that pods use, through the proxy of this laptop's router. */
export const openTerminal: Command = async (caravan) => {
  const { laptop, operations } = caravan;
  if (!(await laptop.isRunning()))
    throw new CaravanError('not-running', 'This laptop is in no network yet: use "Join with This Laptop" first.');
  const api = caravan.api(laptop.ref);
  const proxy = await operations.run("open the proxy of this laptop's router", () => api.openProxy({}));
  const env = { ...serviceEnvironment(await api.status()), ...proxyEnvironment(proxy) };
  vscode.window.createTerminal({ name: 'Network', iconPath: new vscode.ThemeIcon('globe'), env }).show();
};
