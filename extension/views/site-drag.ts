import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import { guarded } from '../commands/command.ts';
import { linkByDrag } from '../commands/link-sites.ts';
import { draggedSite, droppedEnds } from '../sites/dragged-sites.ts';
import type { Row } from './row.ts';

/** VS Code's name for rows that are dragged within *Sites*. */
const SITES = 'application/vnd.code.tree.caravan.sites';

/** Dragging one site onto another links the two. */
export class SiteDrag implements vscode.TreeDragAndDropController<Row> {
  readonly dragMimeTypes = [SITES];
  readonly dropMimeTypes = [SITES];
  readonly #caravan: Caravan;

  constructor(caravan: Caravan) {
    this.#caravan = caravan;
  }

  handleDrag(rows: readonly Row[], transfer: vscode.DataTransfer): void {
    const site = draggedSite(rows);
    if (site) transfer.set(SITES, new vscode.DataTransferItem(site));
  }

  handleDrop(row: Row | undefined, transfer: vscode.DataTransfer): void {
    const ends = droppedEnds(transfer.get(SITES)?.value, row);
    // Not waited for: the tree shows a drop as going on until it ends, and this one asks questions.
    if (ends) void guarded(this.#caravan, 'linking by a drag', () => linkByDrag(this.#caravan, ...ends));
  }
}
