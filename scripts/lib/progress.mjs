// Progress of set-up: one line when a step begins and one when it ends, on standard error, so that output stays parseable.

const seconds = (since) => ((performance.now() - since) / 1000).toFixed(1);

/** Prints nothing until the first step: a start that has nothing to do says nothing. */
export function createProgress(write = (text) => process.stderr.write(text)) {
  const began = performance.now();
  let steps = 0;
  return {
    note: (text) => write(`  ${text}\n`),
    async step(text, work) {
      if (steps++ === 0) write('Setting SENTINEL up. The first time takes a minute or two; what is done is kept.\n');
      const start = performance.now();
      write(`  ${text} …\n`);
      const result = await work();
      write(`  ${text}: done in ${seconds(start)} s\n`);
      return result;
    },
    end() {
      if (steps > 0) write(`Set up in ${seconds(began)} s.\n\n`);
    },
  };
}
