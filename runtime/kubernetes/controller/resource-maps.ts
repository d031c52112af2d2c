/** Resources that stand in ConfigMaps, as on a host they stand in files. */
import type { V1ConfigMap } from '@kubernetes/client-node';
import type { Problem } from '../../api/types.ts';
import { parseResources, type Resource } from '../../site/resources.ts';
import { nameOf } from '../objects.ts';

interface Piece {
  text: string;
  resources: Resource[];
  problems: Problem[];
}

/** Remembers the last good version of each key: a slip of the pen takes nothing away. */
export class ResourceMaps {
  private pieces = new Map<string, Piece>();

  read(configMaps: readonly V1ConfigMap[]): { resources: Resource[]; problems: Problem[] } {
    const now = new Map<string, Piece>();
    for (const configMap of configMaps)
      for (const [key, text] of Object.entries(configMap.data ?? {})) {
        if (!/\.ya?ml$/.test(key)) continue;
        const where = `ConfigMap ${nameOf(configMap)}/${key}`;
        now.set(where, this.piece(where, text));
      }
    this.pieces = now;
    const pieces = [...now.keys()].sort().map((where) => now.get(where)!);
    return { resources: pieces.flatMap(({ resources }) => resources), problems: pieces.flatMap(({ problems }) => problems) };
  }

  private piece(where: string, text: string): Piece {
    const before = this.pieces.get(where);
    if (before?.text === text) return before;
    const { resources, problems } = parseResources(text, where);
    return { text, problems, resources: problems.length > 0 && before ? before.resources : resources };
  }
}
