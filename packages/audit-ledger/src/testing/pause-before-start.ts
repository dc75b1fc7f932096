/**
 * Holds a writer back until a tracer is there: loaded before it starts, says which thread does its file operations (the one of
 * a pool of one), and waits for the word to go on.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const file = process.env['PAUSE_FILE'] ?? '';

// The pool begins with the first operation.
await readFile('/dev/null');
const threads = readdirSync('/proc/self/task');
const worker = threads.find((thread) =>
  readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').startsWith('libuv-worker'),
);
writeFileSync(`${file}.tmp`, `${process.pid} ${worker ?? ''}`);
renameSync(`${file}.tmp`, file);
while (!existsSync(`${file}.go`)) await delay(5);
