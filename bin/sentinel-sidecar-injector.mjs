#!/usr/bin/env node
// The admission webhook, of this clone.
import '../scripts/lib/require-node.mjs';
import { launch } from '../scripts/lib/launch.mjs';

await launch('sentinel-sidecar-injector', 'packages/sidecar-injector/dist/main.js', process.argv.slice(2));
