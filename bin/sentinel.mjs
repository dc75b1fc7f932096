#!/usr/bin/env node
// `npx sentinel`: the operator's command line, under the Node that set-up chose.
import fs from 'node:fs';
import '../scripts/lib/require-node.mjs';
import { handOver } from '../scripts/lib/hand-over.mjs';
import { CURRENT, ROOT } from '../scripts/lib/paths.mjs';

const COMMAND_LINE = `${ROOT}/packages/cli/dist/main.js`;
const EXIT_UNAVAILABLE = 69;
/** What the command line needs: set-up installs it where the machine's is older. */
const NODE_MAJOR = 24;

/**
 * @returns {string | undefined} the Node of the last set-up, or this one where there was none (a container image) and it will do;
 * undefined when it, or what it runs, is not there
 */
function chosenNode() {
  const node = fs.existsSync(CURRENT) ? pinnedNode() : thisNode();
  return node !== undefined && fs.existsSync(node) && fs.existsSync(COMMAND_LINE) ? node : undefined;
}

function pinnedNode() {
  try {
    return JSON.parse(fs.readFileSync(CURRENT, 'utf8')).node;
  } catch {
    return undefined;
  }
}

function thisNode() {
  return Number(process.versions.node.split('.')[0]) >= NODE_MAJOR ? process.execPath : undefined;
}

const node = chosenNode();
if (node === undefined) {
  process.stderr.write('sentinel: this clone is not set up yet: run "npm start" in it first.\n');
  process.exitCode = EXIT_UNAVAILABLE;
} else {
  process.exitCode = await handOver(node, ['--enable-source-maps', COMMAND_LINE, ...process.argv.slice(2)]);
}
