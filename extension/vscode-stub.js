// Stands in for VS Code in extension.test.ts: remembers what is registered, shows nothing.
export const registered = new Set();
export const views = new Set();

const nothing = { dispose() {} };
const event = () => nothing;

export const Disposable = { from: (...parts) => ({ dispose: () => parts.forEach((part) => part.dispose()) }) };
export class EventEmitter {
  event = event;
  fire() {}
  dispose() {}
}
export const TreeItem = Object;
export const ThemeIcon = Object;
export const ThemeColor = Object;
export const CodeLens = Object;
export const CodeActionKind = { QuickFix: 'quickfix' };
export const DataTransferItem = Object;
export const StatusBarAlignment = { Left: 1 };
export const Uri = { joinPath: (base, ...parts) => ({ fsPath: [base.fsPath, ...parts].join('/') }) };
export const commands = {
  registerCommand(id) {
    registered.add(id);
    return nothing;
  },
  executeCommand: async () => {},
};
export const debug = {
  registerDebugConfigurationProvider: event,
  onDidStartDebugSession: event,
  onDidTerminateDebugSession: event,
};
export const tasks = { registerTaskProvider: event };
export const languages = {
  registerCodeLensProvider: event,
  registerHoverProvider: event,
  createDiagnosticCollection: () => ({ ...nothing, set() {}, delete() {} }),
  registerCodeActionsProvider: event,
  registerCompletionItemProvider: event,
};
export const workspace = {
  isTrusted: true,
  textDocuments: [],
  fs: { isWritableFileSystem: () => true },
  getConfiguration: () => ({ get: (_, value) => value }),
  onDidChangeConfiguration: event,
  onDidGrantWorkspaceTrust: event,
  onDidOpenTextDocument: event,
  onDidChangeTextDocument: event,
  onDidCloseTextDocument: event,
  registerTextDocumentContentProvider: event,
};
const silent = () => {};
export const window = {
  createOutputChannel: () => ({ ...nothing, debug: silent, info: silent, warn: silent, error: silent }),
  createTreeView(id) {
    views.add(id);
    return { ...nothing, visible: false, onDidChangeVisibility: event };
  },
  createStatusBarItem: () => ({ ...nothing, show() {}, hide() {} }),
};
