// `node scripts/kubernetes.mjs`: compiles the API server of Kubernetes where it is not there yet, and prints where the program is.
import './lib/require-node.mjs';

import('./commands/kubernetes.mjs');
