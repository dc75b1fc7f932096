// Turns the output of a failed set-up step into one sentence that says what to do.

const NO_NETWORK =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ERR_PNPM_META_FETCH_FAIL)\b|network (timeout|request)|fetch failed/;
const DISK_FULL = /\bENOSPC\b|No space left on device/i;
const NOT_WRITABLE = /\b(EACCES|EPERM|EROFS)\b.*?'([^']+)'/;
const OUT_OF_MEMORY = /JavaScript heap out of memory|Cannot allocate memory|virtual memory exhausted/;
const COMPILER_ERROR = /^(.+?[:(]\d+[:,]\d+\)?:? (?:fatal )?error\b.*)$/m;

/**
 * @param {string} step what was being done, as a noun phrase
 * @param {string} output the end of the step's output
 * @param {string} folder where the step writes
 * @returns {string} one sentence
 */
export function diagnose(step, output, folder) {
  if (DISK_FULL.test(output)) {
    return `The disk that holds ${folder} is full (${step}): free some space and run this again.`;
  }
  if (NO_NETWORK.test(output)) {
    return `No package registry could be reached (${step}): connect this machine to the network and run this again, what is done is kept.`;
  }
  const denied = NOT_WRITABLE.exec(output);
  if (denied) return `${denied[2]} cannot be written (${step}): give this user the right to, and run this again.`;
  if (OUT_OF_MEMORY.test(output))
    return `This machine has too little free memory (${step}): free some and run this again.`;
  const compiler = COMPILER_ERROR.exec(output);
  if (compiler) return `Compiling failed (${step}): ${compiler[1]}`;
  return `${capitalise(step)} failed: ${lastLine(output)}`;
}

function capitalise(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function lastLine(output) {
  const lines = output.split('\n').map((line) => line.trim());
  return lines.findLast?.((line) => line !== '') ?? lines.filter(Boolean).pop() ?? 'it printed nothing.';
}
