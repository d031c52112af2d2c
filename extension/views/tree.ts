import * as vscode from 'vscode';
import type { Icon, Row } from './row.ts';

const COLOURS = { good: 'charts.green', bad: 'list.warningForeground', off: 'disabledForeground' } as const;

/** Shows rows as a tree, and draws again only when they changed. */
export class RowTree implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  readonly #rows: () => Row[];
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.#changed.event;
  #drawn = '';

  constructor(rows: () => Row[]) {
    this.#rows = rows;
  }

  refresh(): void {
    if (JSON.stringify(this.#rows()) !== this.#drawn) this.#changed.fire();
  }

  getChildren(row?: Row): Row[] {
    if (row) return row.children ?? [];
    const rows = this.#rows();
    this.#drawn = JSON.stringify(rows);
    return rows;
  }

  getTreeItem(row: Row): vscode.TreeItem {
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(row.label, row.children?.length ? (row.open ? Expanded : Collapsed) : None);
    // An item keeps the state that its id had: one that gets children later would stay closed.
    item.id = row.children?.length ? `${row.id}:open` : row.id;
    item.contextValue = row.flags;
    item.iconPath = icon(row.icon);
    item.accessibilityInformation = {
      label: [row.label, row.description, row.icon[1] === 'bad' && 'has a problem'].filter(Boolean).join(', '),
    };
    if (row.description) item.description = row.description;
    item.tooltip = row.tooltip ?? row.label;
    if (row.command) item.command = { command: row.command, title: row.label, arguments: [row] };
    return item;
  }

  dispose(): void {
    this.#changed.dispose();
  }
}

function icon([codicon, colour]: Icon): vscode.ThemeIcon {
  return colour ? new vscode.ThemeIcon(codicon, new vscode.ThemeColor(COLOURS[colour])) : new vscode.ThemeIcon(codicon);
}
