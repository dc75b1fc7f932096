#!/usr/bin/env node
// `npx sentinel`: the operator's command line.
import '../scripts/lib/require-node.mjs';
import { launch } from '../scripts/lib/launch.mjs';

await launch('sentinel', 'packages/cli/dist/main.js', process.argv.slice(2));
