import { bootstrap } from '../lib/bootstrap.mjs';
import { exitWith } from '../lib/setup-error.mjs';

const upTo = process.argv.includes('--install-only') ? 'install' : 'build';
await bootstrap({ upTo }).catch(exitWith);
