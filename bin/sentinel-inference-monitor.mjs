#!/usr/bin/env node
// The monitor beside an inference server, of this clone.
import '../scripts/lib/require-node.mjs';
import { launch } from '../scripts/lib/launch.mjs';

await launch('sentinel-inference-monitor', 'packages/inference-monitor/dist/main.js', process.argv.slice(2));
