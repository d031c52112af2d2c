/** The runtime as a ConfigMap: the two bundles that the pod needs, compressed. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import { CaravanError } from '../../errors.ts';
import { VERSION } from '../../version.ts';

export const BUNDLES = ['caravan.cjs', 'kubernetes.cjs'] as const;
/** What Kubernetes lets the data of a ConfigMap have in all. Bytes. */
export const MAX_CONFIG_MAP_BYTES = 1024 * 1024;

export interface Runtime {
  version: string;
  /** Of the bundles' bytes, not of what compression makes of them, which differs with Node: another runtime has another one. */
  digest: string;
  /** ConfigMap keys and their values, base64. */
  binaryData: Record<string, string>;
}

/** Where the running bundle lies; from the sources, where `npm run build` puts it. */
export function bundlesFolder(): string {
  return typeof __dirname === 'string' ? __dirname : fileURLToPath(new URL('../../../dist', import.meta.url));
}

/** Reads and compresses the bundles of a folder. */
export async function loadRuntime(folder = bundlesFolder()): Promise<Runtime> {
  const digest = createHash('sha256');
  const binaryData: Runtime['binaryData'] = {};
  let total = 0;
  for (const name of BUNDLES) {
    const bytes = await readFile(join(folder, name)).catch((cause: unknown) => {
      throw new CaravanError(
        'not-found',
        `The runtime's bundle ${join(folder, name)} is missing: install Caravan again, or build it.`,
        { cause },
      );
    });
    digest.update(bytes);
    const compressed = await compress(bytes);
    total += compressed.length;
    binaryData[`${name}.br`] = compressed.toString('base64');
  }
  if (total > MAX_CONFIG_MAP_BYTES)
    throw new CaravanError(
      'bad-request',
      `The runtime has ${total} bytes compressed, more than the ${MAX_CONFIG_MAP_BYTES} that a ConfigMap takes: this build of Caravan makes no sites; use another one.`,
    );
  return { version: VERSION, digest: digest.digest('hex').slice(0, 16), binaryData };
}

/** Quality 9 with a large window: 0.1 s and 10 % more bytes, where 11 takes 3 s. */
function compress(bytes: Buffer): Promise<Buffer> {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 9,
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return promisify(brotliCompress)(bytes, { params });
}
