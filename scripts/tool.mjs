// `node scripts/tool.mjs COMMAND ARGS…`: run a pinned developer tool under the pinned Node.
import './lib/require-node.mjs';

import('./commands/tool.mjs');
