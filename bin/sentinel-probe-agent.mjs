#!/usr/bin/env node
// The agent of this clone. With the default configuration it reports to the SENTINEL that was started from here.
import '../scripts/lib/require-node.mjs';
import { agentEnvironment } from '../scripts/lib/agent-environment.mjs';
import { launch } from '../scripts/lib/launch.mjs';

const args = process.argv.slice(2);
process.env = agentEnvironment(args, process.env);
await launch('sentinel-probe-agent', 'packages/probe-agent/dist/main.js', args);
