import type { TlsFiles } from '@sentinel/service-kit/tls';

export interface StackCertificates {
  files(role: string): TlsFiles;
}

export async function certificatesFor(folder: string): Promise<StackCertificates> {
  throw new Error(`no certificates for ${folder}`);
}
