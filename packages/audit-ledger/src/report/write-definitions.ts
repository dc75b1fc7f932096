/** Writes what figures and controls are into the file that the offline verifiers read, beside those of earlier versions. */
import { readFileSync, writeFileSync } from 'node:fs';
import { DEFINITIONS_FILE, withCurrent } from './definitions-file.js';

writeFileSync(DEFINITIONS_FILE, withCurrent(readFileSync(DEFINITIONS_FILE, 'utf8')));
