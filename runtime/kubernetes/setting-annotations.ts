/** Annotations that say what a Connector says in its `settings`: ours, all of them. Plain: no client, as `annotations.ts`. */
import { type ConnectorSetting, whyNotSetting } from '../api/connector-settings.ts';
import type { Protocol } from '../api/vocabulary.ts';
import type { Exposure } from './types.ts';

export const HEADER = 'skupper.io/header';
export const PATH_PREFIX = 'skupper.io/path-prefix';
export const WEIGHT = 'skupper.io/weight';
export const PROXY_PROTOCOL = 'skupper.io/proxy-protocol';
export const SETTING_ANNOTATIONS = [HEADER, PATH_PREFIX, WEIGHT, PROXY_PROTOCOL] as const;
export type SettingAnnotation = (typeof SETTING_ANNOTATIONS)[number];

const SETTINGS: Record<SettingAnnotation, ConnectorSetting> = {
  [HEADER]: 'header',
  [PATH_PREFIX]: 'pathPrefix',
  [WEIGHT]: 'weight',
  [PROXY_PROTOCOL]: 'proxyProtocol',
};

type Annotations = Readonly<Record<string, string>>;

/** What they say; one sentence where that makes no sense. */
export function readSettings(given: Annotations, type: Protocol): Pick<Exposure, 'settings'> | string {
  const settings: Exposure['settings'] = {};
  for (const key of SETTING_ANNOTATIONS) {
    const value = given[key];
    if (value === undefined) continue;
    const wrong = whyNotSettingOf(key, value, type);
    if (wrong !== undefined) return wrong;
    settings[SETTINGS[key]] = value;
  }
  return Object.keys(settings).length > 0 ? { settings } : {};
}

/** The annotations that say so. */
export function settingAnnotationsFor({ settings = {} }: Pick<Exposure, 'settings'>): Record<string, string> {
  return Object.fromEntries(
    SETTING_ANNOTATIONS.flatMap((key) => {
      const value = settings[SETTINGS[key]];
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

/** One sentence, where an annotation makes no sense for what the object is exposed as. */
export function whyNotSettingOf(key: SettingAnnotation, value: string, type: Protocol): string | undefined {
  return whyNotSetting(SETTINGS[key], value, type, key);
}
