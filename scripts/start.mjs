// `npm start`: set up what is missing, then run the supervisor. Arguments after `--` are the supervisor's.
import './lib/require-node.mjs';

import('./commands/start.mjs');
