import * as vscode from 'vscode';
import type { Command } from './command.ts';

/** Asks everything again. */
export const refresh: Command = async ({ clusters, local }) => {
  await inView(async () => void (await Promise.all([clusters.refresh(), local.look()])));
};

/** Asks one context again; without one, all of them. */
export const retry: Command = async (caravan, row) => {
  const { context } = row?.target ?? {};
  if (!context) return await refresh(caravan);
  await inView(() => caravan.clusters.retry(context));
};

async function inView(work: () => Promise<void>): Promise<void> {
  await vscode.window.withProgress({ location: { viewId: 'caravan.sites' } }, work);
}
