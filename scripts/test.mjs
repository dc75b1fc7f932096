// `npm test`: set up what is missing, run every package's tests, end with one line of counts.
import './lib/require-node.mjs';

import('./commands/test.mjs');
