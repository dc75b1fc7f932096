// `npm run check`: build, then every gate that needs no test: format, types, imports, leftovers, the wire contract.
import './lib/require-node.mjs';

import('./commands/check.mjs');
