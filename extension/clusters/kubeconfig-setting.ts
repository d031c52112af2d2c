import { delimiter, isAbsolute, join } from 'node:path';

/**
 * The setting `caravan.kubeconfig` as others understand it: a path that a folder's settings give is meant from that folder, not from
 * wherever the editor was started. Undefined where the setting is empty.
 */
export function kubeconfigFrom(setting: string | undefined, folder: string | undefined): string | undefined {
  const paths = (setting ?? '').split(delimiter).flatMap((path) => path.trim() || []);
  const whole = paths.map((path) =>
    folder === undefined || isAbsolute(path) || path.startsWith('~') ? path : join(folder, path),
  );
  return whole.join(delimiter) || undefined;
}
