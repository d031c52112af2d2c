import * as vscode from 'vscode';
import { itemId, mergeRows } from './merge-rows.ts';
import type { Icon, Row } from './row.ts';

const COLOURS = { good: 'charts.green', bad: 'list.warningForeground', off: 'disabledForeground' } as const;

/** Shows rows as a tree, and draws again only what changed: see `mergeRows`. */
export class RowTree implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  readonly #rows: () => Row[];
  readonly #changed = new vscode.EventEmitter<Row[] | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  #shown: Row[] = [];

  constructor(rows: () => Row[]) {
    this.#rows = rows;
  }

  refresh(): void {
    const { rows, changed, isSameList } = mergeRows(this.#shown, this.#rows());
    this.#shown = rows;
    if (!isSameList) this.#changed.fire(undefined);
    else if (changed.length > 0) this.#changed.fire(changed);
  }

  getChildren(row?: Row): Row[] {
    if (row) return row.children ?? [];
    this.#shown = mergeRows(this.#shown, this.#rows()).rows;
    return this.#shown;
  }

  getTreeItem(row: Row): vscode.TreeItem {
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(row.label, row.children?.length ? (row.open ? Expanded : Collapsed) : None);
    item.id = itemId(row);
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
