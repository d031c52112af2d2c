import * as vscode from 'vscode';
import { type DisposableLike } from '../like.ts';
import { debounce } from '../emitter.ts';
import { type Finding, findingsOf } from './findings.ts';
import type { ManifestCache } from './manifest-cache.ts';
import { toTextEdit } from './write-annotations.ts';

/** A warning that comes and goes with every letter is in the way. Milliseconds. */
const PAUSE_MS = 250;

/** Warnings in open manifests, and their quick fixes. */
export class ManifestDiagnostics implements vscode.CodeActionProvider, vscode.Disposable {
  readonly #manifests: ManifestCache;
  readonly #isManifest: (document: vscode.TextDocument) => boolean;
  readonly #shown = vscode.languages.createDiagnosticCollection('caravan');
  readonly #waiting = new Set<vscode.TextDocument>();
  readonly #edits = new WeakMap<vscode.CodeAction, () => Promise<vscode.WorkspaceEdit | undefined>>();
  readonly #later: (() => void) & DisposableLike;
  readonly #parts: vscode.Disposable;

  constructor(manifests: ManifestCache, isManifest: (document: vscode.TextDocument) => boolean) {
    this.#manifests = manifests;
    this.#isManifest = isManifest;
    this.#later = debounce(() => void this.#look(), PAUSE_MS);
    const { workspace } = vscode;
    this.#parts = vscode.Disposable.from(
      this.#shown,
      workspace.onDidOpenTextDocument((document) => this.#soon(document)),
      workspace.onDidChangeTextDocument(({ document }) => this.#soon(document)),
      workspace.onDidCloseTextDocument((document) => this.#forget(document)),
      workspace.onDidChangeConfiguration((change) => change.affectsConfiguration('caravan.diagnostics') && this.#all()),
      { dispose: () => this.#later.dispose() },
    );
    this.#all();
  }

  async provideCodeActions(document: vscode.TextDocument, range: vscode.Range): Promise<vscode.CodeAction[]> {
    const findings = (await this.#findings(document)).filter((finding) => toRange(document, finding).intersection(range));
    return findings.flatMap((finding) => {
      const diagnostic = toDiagnostic(document, finding);
      return finding.fixes.map(({ title, annotations }) => {
        const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
        action.diagnostics = [diagnostic];
        action.isPreferred = finding.fixes.length === 1;
        this.#edits.set(action, () => toTextEdit({ document, workload: finding.workload }, annotations));
        return action;
      });
    });
  }

  /** Of the one that is chosen: an edit reads the whole document again, and fixes are offered wherever the cursor goes. */
  async resolveCodeAction(action: vscode.CodeAction): Promise<vscode.CodeAction> {
    action.edit = await this.#edits.get(action)?.();
    return action;
  }

  dispose(): void {
    this.#parts.dispose();
  }

  #all(): void {
    for (const document of vscode.workspace.textDocuments) this.#soon(document);
  }

  #soon(document: vscode.TextDocument): void {
    if (!this.#isManifest(document)) return;
    this.#waiting.add(document);
    this.#later();
  }

  #forget(document: vscode.TextDocument): void {
    this.#waiting.delete(document);
    this.#shown.delete(document.uri);
  }

  async #look(): Promise<void> {
    const documents = [...this.#waiting];
    this.#waiting.clear();
    for (const document of documents) {
      const { version } = document;
      const findings = await this.#findings(document);
      // What changed or was closed meanwhile is looked at again, or is gone.
      if (document.isClosed || document.version !== version) continue;
      this.#shown.set(
        document.uri,
        findings.map((finding) => toDiagnostic(document, finding)),
      );
    }
  }

  async #findings(document: vscode.TextDocument): Promise<Finding[]> {
    if (!vscode.workspace.getConfiguration('caravan', document).get('diagnostics', true)) return [];
    return findingsOf(document.getText(), (await this.#manifests.of(document)).workloads);
  }
}

function toDiagnostic(document: vscode.TextDocument, finding: Finding): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(toRange(document, finding), finding.message, vscode.DiagnosticSeverity.Warning);
  diagnostic.source = 'Caravan';
  diagnostic.code = finding.key;
  return diagnostic;
}

function toRange(document: vscode.TextDocument, { start, end }: Finding): vscode.Range {
  return new vscode.Range(document.positionAt(start), document.positionAt(end));
}
