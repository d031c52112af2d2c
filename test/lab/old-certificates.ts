import { type Document, parseAllDocuments } from 'yaml';
import {
  issueCertificate,
  makeServerCertificate,
  makeSigningRequest,
  readSigningRequest,
} from '../../runtime/identity/certificates.ts';
import type { Identity } from '../../runtime/identity/identity.ts';
import type { SiteStore } from '../../runtime/site/store.ts';

const DAY_MS = 86_400_000;

/** Gives a site that does not run the certificate that it would have been shown with for so many days. */
export async function ageServer(site: SiteStore, days: number): Promise<void> {
  const identity = await identityIn(site);
  const server = await makeServerCertificate(identity.siteId, identity.authority, Date.now() - days * DAY_MS);
  await site.write('identity', JSON.stringify({ ...identity, server }));
}

/** The same for that of a link: the two sites at its ends do not run meanwhile. */
export async function ageLink(dials: SiteStore, name: string, takes: SiteStore, days: number): Promise<void> {
  const [{ siteId }, { authority }] = await Promise.all([identityIn(dials), identityIn(takes)]);
  const { key, request } = await makeSigningRequest(siteId);
  const then = Date.now() - days * DAY_MS;
  const { certificate, serial, expires } = issueCertificate(authority, readSigningRequest(request), then);
  const issued = JSON.parse((await takes.read('issued'))!) as { siteId: string }[];
  const times = { issued: new Date(then).toISOString(), expires: expires.toISOString() };
  const entry = { ...issued.find((each) => each.siteId === siteId), serial, ...times };
  await takes.write('issued', JSON.stringify([...issued, entry]));

  const documents = [...parseAllDocuments((await dials.read(`resources/link-${name}`))!)] as Document[];
  const secret = documents.find((document) => document.get('kind') === 'Secret')!;
  secret.setIn(['stringData', 'tls.crt'], certificate);
  secret.setIn(['stringData', 'tls.key'], key);
  await dials.write(`resources/link-${name}`, documents.map((document) => document.toString({ lineWidth: 0 })).join('---\n'));
}

async function identityIn(site: SiteStore): Promise<Identity> {
  return JSON.parse((await site.read('identity'))!) as Identity;
}
