// `npm run chaos`: replicas and their stores under random faults (docs/chaos.md).
import './lib/require-node.mjs';

import('./commands/chaos.mjs');
