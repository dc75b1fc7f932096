// What the commands of a clone do first: the program, under the Node that set-up chose.
import fs from 'node:fs';
import { handOver } from './hand-over.mjs';
import { CURRENT, ROOT } from './paths.mjs';

const EXIT_UNAVAILABLE = 69;
/** What the programs need: set-up installs it where the machine's is older. */
const NODE_MAJOR = 24;

/**
 * Runs a program of this clone in this process's place.
 * @param {string} command how it was called, for messages
 * @param {string} program relative to the clone
 * @param {readonly string[]} args
 */
export async function launch(command, program, args) {
  const file = `${ROOT}/${program}`;
  const node = chosenNode(file);
  if (node === undefined) {
    process.stderr.write(`${command}: this clone is not set up yet: run "npm start" in it first.\n`);
    process.exitCode = EXIT_UNAVAILABLE;
  } else {
    process.exitCode = await handOver(node, ['--enable-source-maps', file, ...args]);
  }
}

/**
 * @returns {string | undefined} the Node of the last set-up, or this one where there was none (a container image) and it will do;
 * undefined when it, or what it runs, is not there
 */
function chosenNode(file) {
  const node = fs.existsSync(CURRENT) ? pinnedNode() : thisNode();
  return node !== undefined && fs.existsSync(node) && fs.existsSync(file) ? node : undefined;
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
