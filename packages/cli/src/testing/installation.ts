import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ENDPOINTS_FILE } from '../endpoints.js';
import { TOKEN } from './services.js';

/** Nothing listens there. */
export const NOBODY = '127.0.0.1:1';

/** A data folder as the supervisor leaves it. @param engineHttp where its live updates are */
export function installation(folder: string, engine: string, engineHttp = NOBODY): string {
  const file = join(folder, ENDPOINTS_FILE);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(join(folder, 'operator.token'), `${TOKEN}\n`);
  writeFileSync(
    file,
    JSON.stringify({
      engine: { grpc: engine, http: engineHttp },
      ledger: { grpc: NOBODY, http: NOBODY },
      operatorTokenPath: 'operator.token',
    }),
  );
  return folder;
}
