import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import { COMPLETION_TRIGGERS, CompletionProvider } from './completion-provider.ts';
import { ManifestDiagnostics } from './diagnostics.ts';
import { HoverProvider } from './hover-provider.ts';
import { LensProvider } from './lens-provider.ts';
import { ManifestCache } from './manifest-cache.ts';

const MANIFESTS: vscode.DocumentSelector = { language: 'yaml' };

/** What an editor shows of manifests. */
export function registerManifests(caravan: Caravan): vscode.Disposable {
  const { languages } = vscode;
  const manifests = new ManifestCache();
  const lenses = new LensProvider(caravan, manifests, isEditable);
  const diagnostics = new ManifestDiagnostics(manifests, isEditable);
  return vscode.Disposable.from(
    lenses,
    diagnostics,
    languages.registerCodeLensProvider(MANIFESTS, lenses),
    languages.registerHoverProvider(MANIFESTS, new HoverProvider(caravan, manifests)),
    languages.registerCompletionItemProvider(MANIFESTS, new CompletionProvider(), ...COMPLETION_TRIGGERS),
    languages.registerCodeActionsProvider(MANIFESTS, diagnostics, { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] }),
  );
}

/** An older version in a comparison is nothing to warn of, or to change. */
function isEditable(document: vscode.TextDocument): boolean {
  return document.languageId === 'yaml' && vscode.workspace.fs.isWritableFileSystem(document.uri.scheme) !== false;
}
