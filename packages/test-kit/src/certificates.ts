import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const KEYS = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
/** Certificates begin an hour ago, so that a clock that is set back harms no test. */
const VALID_BEFORE_MS = 3_600_000;
const VALID_AFTER_MS = 24 * 3_600_000;

/** PEM files as the `tls` sections of the services want them. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

export interface LeafSpec {
  /** Common name. */
  readonly name: string;
  /** Name of the files; the common name by default. */
  readonly file?: string;
  /** Node of the URI SAN `sentinel://node/NODE`; none by default. */
  readonly node?: string;
  /** Person of the URI SAN `sentinel://operator/PERSON`; none by default. */
  readonly person?: string;
  /** E-mail address among its names; none by default. */
  readonly email?: string;
  /** DNS names beside `localhost` and the common name. */
  readonly dns?: readonly string[];
  /** Days from now until it ends; negative = it has ended. Default 1. */
  readonly validDays?: number;
}

/** An authority of its own, in a folder of its own. */
export interface CertificateAuthority {
  readonly caFile: string;
  /** Makes key and certificate, for server and client use, valid for localhost, 127.0.0.1 and ::1; replaces those of the same `file`. */
  issue(leaf: string | LeafSpec): Promise<CertificateFiles>;
}

/** Makes an authority whose certificate and leaves lie in `folder`. */
export async function makeAuthority(folder: string, name = 'sentinel-test-ca'): Promise<CertificateAuthority> {
  mkdirSync(folder, { recursive: true });
  const keys = await crypto.subtle.generateKey(KEYS, true, ['sign', 'verify']);
  const authority = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: SIGNATURE,
    ...validity(VALID_AFTER_MS),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  const caFile = join(folder, 'ca.crt');
  writeFileSync(caFile, authority.toString('pem'));
  return {
    caFile,
    issue: async (leaf) => {
      const spec = typeof leaf === 'string' ? { name: leaf } : leaf;
      const leafKeys = await crypto.subtle.generateKey(KEYS, true, ['sign', 'verify']);
      const certificate = await X509CertificateGenerator.create({
        subject: `CN=${spec.name}`,
        issuer: authority.subject,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: SIGNATURE,
        ...validity((spec.validDays ?? 1) * VALID_AFTER_MS),
        extensions: leafExtensions(spec),
      });
      const { file = spec.name } = spec;
      const files = { certFile: join(folder, `${file}.crt`), keyFile: join(folder, `${file}.key`), caFile };
      writeFileSync(files.certFile, certificate.toString('pem'));
      writeFileSync(files.keyFile, await privatePem(leafKeys.privateKey), { mode: 0o600 });
      return files;
    },
  };
}

/** Certificates of one authority, by common name. */
export async function makeCertificates<const Names extends readonly (string | LeafSpec)[]>(
  folder: string,
  ...leaves: Names
): Promise<
  Record<Names[number] extends infer N ? (N extends LeafSpec ? N['name'] : N & string) : never, CertificateFiles>
> {
  const authority = await makeAuthority(folder);
  const made: Record<string, CertificateFiles> = {};
  for (const leaf of leaves) made[typeof leaf === 'string' ? leaf : leaf.name] = await authority.issue(leaf);
  return made;
}

function leafExtensions(spec: LeafSpec): Extension[] {
  const names: JsonGeneralName[] = ['localhost', spec.name, ...(spec.dns ?? [])].map((value) => ({
    type: 'dns',
    value,
  }));
  names.push({ type: 'ip', value: '127.0.0.1' }, { type: 'ip', value: '::1' });
  if (spec.node !== undefined) {
    names.push({ type: 'url', value: `sentinel://node/${encodeURIComponent(spec.node)}` });
  }
  if (spec.person !== undefined) {
    names.push({ type: 'url', value: `sentinel://operator/${encodeURIComponent(spec.person)}` });
  }
  if (spec.email !== undefined) names.push({ type: 'email', value: spec.email });
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    new SubjectAlternativeNameExtension(names),
  ];
}

function validity(lastsMs: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(Math.min(now, now + lastsMs) - VALID_BEFORE_MS), notAfter: new Date(now + lastsMs) };
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const base64 = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
}
