// `npm run bench -- NAME [--quick]`: run one benchmark and judge it by docs/goals.json.
import './lib/require-node.mjs';

import('./commands/bench.mjs');
