import './small-heap.js';

import { loadConfigForMain } from '@sentinel/service-kit/config';
import { command } from './command.js';
import { TEST_FLAGS } from './flags.js';

// The test build: it alone loads the addon that can falsify results. No released image or package contains it.
const loaded = loadConfigForMain({
  section: 'probe_agent',
  program: 'sentinel-probe-agent-test',
  argv: process.argv.slice(2),
  env: process.env,
  flags: TEST_FLAGS,
});
const injections = (loaded?.flags.inject ?? '').split(';').filter((spec) => spec !== '');
if (loaded !== undefined) await command(loaded, { test: true, injections });
