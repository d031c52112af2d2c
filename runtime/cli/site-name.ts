import type { Resource } from '../site/resources.ts';
import type { ResourceSource } from '../site/source.ts';

/** The name of the Site among the resources that `source` has first, or undefined. Closes the source. */
export async function siteNameIn(source: ResourceSource): Promise<string | undefined> {
  try {
    return await new Promise((resolve, reject) => {
      source.watch(({ resources }) => resolve(resources.find(({ kind }) => kind === 'Site')?.name)).catch(reject);
    });
  } finally {
    await source.close();
  }
}

/** A source of nothing but the Site itself, where no file says what it is called. */
export function namedSite(name: string): ResourceSource {
  const site: Resource = { kind: 'Site', name, spec: { edge: false, settings: {} }, where: 'the command line' };
  return {
    async watch(changed) {
      changed({ resources: [site], problems: [] });
    },
    async close() {},
  };
}
