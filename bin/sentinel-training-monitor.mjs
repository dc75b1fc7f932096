#!/usr/bin/env node
// The analyser of training jobs, of this clone.
import '../scripts/lib/require-node.mjs';
import { launch } from '../scripts/lib/launch.mjs';

await launch('sentinel-training-monitor', 'packages/training-monitor/dist/main.js', process.argv.slice(2));
