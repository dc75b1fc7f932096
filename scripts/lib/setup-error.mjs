/** The command cannot do its work on this machine as it is (sysexits EX_UNAVAILABLE). */
const EXIT_UNAVAILABLE = 69;

/** A set-up step that cannot go on. The message is one sentence that says what to do. */
export class SetupError extends Error {
  /** @param {string} message @param {{ log?: string }} [details] `log`: the file that holds the step's whole output */
  constructor(message, details = {}) {
    super(message);
    this.name = 'SetupError';
    this.log = details.log;
  }
}

/** Prints what went wrong in one sentence and ends the process; a defect of ours keeps its stack. */
export function exitWith(error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`sentinel: ${error.message}\n`);
  if (error.log) process.stderr.write(`  The whole output is in ${error.log}\n`);
  process.exit(EXIT_UNAVAILABLE);
}
