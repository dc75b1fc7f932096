// Sets up everything that `npm start` and `npm test` need, and does nothing where it is done already.
import './lib/require-node.mjs';

import('./commands/bootstrap.mjs');
