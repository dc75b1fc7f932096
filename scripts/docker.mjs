// `node scripts/docker.mjs COMMAND ARGS…`: docker, on a machine that may have had no engine, no compose and no images.
import './lib/require-node.mjs';

import('./commands/docker.mjs');
