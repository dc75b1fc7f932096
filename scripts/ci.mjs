// What .ci/run runs: the gates, then the tests, and one closing line for both.
import './lib/require-node.mjs';

import('./commands/ci.mjs');
