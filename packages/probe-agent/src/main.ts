import './small-heap.js';

import { loadConfigForMain } from '@sentinel/service-kit/config';
import { command } from './command.js';
import { FLAGS } from './flags.js';

const loaded = loadConfigForMain({
  section: 'probe_agent',
  argv: process.argv.slice(2),
  env: process.env,
  flags: FLAGS,
});
if (loaded !== undefined) await command(loaded, { test: false, injections: [] });
