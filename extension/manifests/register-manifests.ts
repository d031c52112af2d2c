import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import { LensProvider } from './lens-provider.ts';
import { ManifestCache } from './manifest-cache.ts';

const MANIFESTS: vscode.DocumentSelector = { language: 'yaml' };

/** What an editor shows of manifests. */
export function registerManifests(caravan: Caravan): vscode.Disposable {
  const manifests = new ManifestCache();
  const lenses = new LensProvider(caravan, manifests);
  return vscode.Disposable.from(lenses, vscode.languages.registerCodeLensProvider(MANIFESTS, lenses));
}
