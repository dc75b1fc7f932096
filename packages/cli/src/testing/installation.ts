import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ENDPOINTS_FILE } from '../endpoints.js';
import { TOKEN } from './services.js';

/** Nothing listens there. */
export const NOBODY = '127.0.0.1:1';

/** A data folder as the supervisor leaves it. */
export function installation(folder: string, engine: string): string {
  const file = join(folder, ENDPOINTS_FILE);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(join(folder, 'operator.token'), `${TOKEN}\n`);
  const service = (grpc: string) => ({ grpc, http: NOBODY });
  writeFileSync(
    file,
    JSON.stringify({ engine: service(engine), ledger: service(NOBODY), operatorTokenPath: 'operator.token' }),
  );
  return folder;
}
