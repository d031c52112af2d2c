import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { packageVsix } from '../../../scripts/vsix.mjs';
import { Program } from '../program.ts';
import type { Row } from '../row.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const root = join(import.meta.dirname, '..', '..', '..');

export const extensionEntry: Row = {
  name: 'extension-entry',
  title: "Size of the extension's entry",
  how: 'dist/extension.cjs',
  unit: 'KB',
  better: 'less',
  aim: { value: 300 },
  prepare: () => {
    const measure = async () => (await stat(join(root, 'dist', 'extension.cjs'))).size / 1e3;
    return Promise.resolve([{ name: 'caravan', measure }]);
  },
};

export const extensionActivation: Row = {
  name: 'extension-activation',
  title: 'Activation of the extension',
  how: 'loading included, with a stand-in for the editor',
  unit: 'ms',
  better: 'less',
  aim: { value: 50 },
  prepare: (_, scope) => {
    const measure = async () => Number(await scope.use(Program.own('activate-extension')).output());
    return Promise.resolve([{ name: 'caravan', measure }]);
  },
};

export const extensionPackage: Row = {
  name: 'extension-package',
  title: 'Size of the .vsix',
  how: 'npm run package',
  unit: 'MB',
  better: 'less',
  aim: { value: 3 },
  prepare: async (_, scope) => {
    const vsix = join(await temporaryFolder(scope), 'caravan.vsix');
    const measure = async () => {
      packageVsix(root, vsix);
      return (await stat(vsix)).size / 1e6;
    };
    return [{ name: 'caravan', measure }];
  },
};
