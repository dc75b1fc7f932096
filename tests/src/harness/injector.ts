import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAuthority, startProcess, type TestProcess, temporaryFolder } from '@sentinel/test-kit';
import { BIN } from './paths.js';

export interface Injector {
  readonly process: TestProcess;
  /** HOST:PORT of the webhook, over TLS, and of the metrics. */
  readonly http: string;
  readonly metrics: string;
  /** Of the authority that its certificate is of. */
  readonly caFile: string;
}

/** The admission webhook as operators start it, with a certificate of its own. */
export async function startInjector(): Promise<Injector> {
  const folder = await temporaryFolder();
  const { certFile, keyFile, caFile } = await (await makeAuthority(folder.path)).issue({ name: 'sidecar-injector' });
  const [file, ready] = [join(folder.path, 'sentinel.yaml'), join(folder.path, 'ready')];
  const section = {
    listen_address: '127.0.0.1:0',
    tls: { cert_file: certFile, key_file: keyFile, ca_file: caFile },
    metrics: { listen_address: '127.0.0.1:0' },
  };
  writeFileSync(file, JSON.stringify({ sidecar_injector: section }));
  const command = [process.execPath, BIN.injector, '--config', file, '--ready-file', ready] as const;
  const running = await startProcess({ command, ready: { file: ready } });
  const { http, metrics } = running.ready as { http: string; metrics: string };
  return { process: running, http, metrics, caFile };
}
