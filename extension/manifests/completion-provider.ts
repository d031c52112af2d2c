import * as vscode from 'vscode';

/** Without them a list would only open after a letter. */
export const COMPLETION_TRIGGERS = [' ', '/', '.', '"'];

const AGAIN: vscode.Command = { command: 'editor.action.triggerSuggest', title: 'Suggest Values' };

export class CompletionProvider implements vscode.CompletionItemProvider {
  async provideCompletionItems(document: vscode.TextDocument, position: vscode.Position): Promise<vscode.CompletionItem[]> {
    const { completionsAt } = await import('./completions.ts');
    const completions = completionsAt(document.getText(), document.offsetAt(position));
    return completions.map(({ kind, label, detail, documentation, insert, start, end }, index) => {
      const item = new vscode.CompletionItem(
        { label, description: detail },
        kind === 'key' ? vscode.CompletionItemKind.Property : vscode.CompletionItemKind.Value,
      );
      item.documentation = new vscode.MarkdownString(documentation);
      item.insertText = insert;
      item.range = new vscode.Range(document.positionAt(start), document.positionAt(end));
      item.sortText = String(index).padStart(3, '0');
      item.preselect = index === 0;
      if (kind === 'key') item.command = AGAIN;
      return item;
    });
  }
}
