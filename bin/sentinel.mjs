#!/usr/bin/env node
// `npx sentinel`: the operator's command line, under the Node that set-up chose.
import fs from 'node:fs';
import '../scripts/lib/require-node.mjs';
import { handOver } from '../scripts/lib/hand-over.mjs';
import { CURRENT, ROOT } from '../scripts/lib/paths.mjs';

const COMMAND_LINE = `${ROOT}/packages/cli/dist/main.js`;
const EXIT_UNAVAILABLE = 69;

/** @returns {string | undefined} the Node of the last set-up, if it and what it compiled are still there */
function pinnedNode() {
  try {
    const { node } = JSON.parse(fs.readFileSync(CURRENT, 'utf8'));
    return fs.existsSync(node) && fs.existsSync(COMMAND_LINE) ? node : undefined;
  } catch {
    return undefined;
  }
}

const node = pinnedNode();
if (node === undefined) {
  process.stderr.write('sentinel: this clone is not set up yet: run "npm start" in it first.\n');
  process.exitCode = EXIT_UNAVAILABLE;
} else {
  process.exitCode = await handOver(node, ['--enable-source-maps', COMMAND_LINE, ...process.argv.slice(2)]);
}
