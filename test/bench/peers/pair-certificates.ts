import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  issueCertificate,
  makeAuthority,
  makeServerCertificate,
  makeSigningRequest,
  readSigningRequest,
} from '../../../runtime/identity/certificates.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import type { Scope } from '../scope.ts';

/** Paths of PEM files for the two halves of a peer: the same kind of keys and certificates as two sites have. */
export interface PairCertificates {
  folder: string;
  authority: string;
  /** Certificate and key in one file each. */
  server: string;
  client: string;
}

export async function pairCertificates(scope: Scope): Promise<PairCertificates> {
  const folder = await temporaryFolder(scope);
  const authority = await makeAuthority('far');
  const server = await makeServerCertificate('far', authority);
  const { key, request } = await makeSigningRequest('near');
  const { certificate } = issueCertificate(authority, readSigningRequest(request));
  const put = async (name: string, ...texts: string[]) => {
    const path = join(folder, name);
    await writeFile(path, texts.join('\n'), { mode: 0o600 });
    return path;
  };
  return {
    folder,
    authority: await put('authority.pem', authority.certificate),
    server: await put('server.pem', server.certificate, server.key),
    client: await put('client.pem', certificate, key),
  };
}
