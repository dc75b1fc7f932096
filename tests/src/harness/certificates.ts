import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsFiles } from '@sentinel/service-kit/tls';
import { type CertificateAuthority, type LeafSpec, makeAuthority } from '@sentinel/test-kit';

/** Common names that an installation has; those of agents without a node are the shared ones of the deployment guide. */
const ROLES = [
  'correlation-engine',
  'audit-ledger',
  'probe-agent',
  'training-monitor',
  'inference-monitor',
  'operator',
] as const;

/** Certificates of one installation. */
export interface StackCertificates {
  /** @param role a common name */
  files(role: string): TlsFiles;
  /** A certificate of its own for the agent of `node`. */
  forNode(node: string): Promise<TlsFiles>;
}

export async function certificatesFor(folder: string): Promise<StackCertificates> {
  const authority = await makeAuthority(folder);
  const made = new Map<string, TlsFiles>();
  for (const role of ROLES) made.set(role, await issue(authority, folder, { name: role }, role));
  return {
    files: (role) => {
      const files = made.get(role);
      if (files === undefined) throw new Error(`no certificate for ${role}`);
      return files;
    },
    forNode: (node) => issue(authority, folder, { name: 'probe-agent', node }, `node-${node}`),
  };
}

/** The authority names files by common name; here several leaves share one. */
async function issue(authority: CertificateAuthority, folder: string, leaf: LeafSpec, as: string): Promise<TlsFiles> {
  const { certFile, keyFile, caFile } = await authority.issue(leaf);
  const files = { certFile: join(folder, `${as}.pem`), keyFile: join(folder, `${as}.key.pem`), caFile };
  renameSync(certFile, files.certFile);
  renameSync(keyFile, files.keyFile);
  return files;
}
