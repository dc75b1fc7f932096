// A process that loads an addon and calls it: argv has the addon's path and a JSON array of [function, argument]. Writes one
// line of JSON per call, {"returned": …} or {"thrown": "message"}.

import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';

const [path, calls] = process.argv.slice(2);
const addon = createRequire(import.meta.url)(path);
const plain = (_key, value) => (ArrayBuffer.isView(value) ? [...value] : value);

function outcomeOf(name, argument) {
  try {
    return { returned: addon[name](argument) };
  } catch (error) {
    return { thrown: error.message };
  }
}

for (const [name, argument] of JSON.parse(calls)) writeSync(1, `${JSON.stringify(outcomeOf(name, argument), plain)}\n`);
