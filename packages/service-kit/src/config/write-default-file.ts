import { writeFileSync } from 'node:fs';
import { renderDefaultFile } from './default-file.js';

/** Writes config/sentinel.default.yaml of this repository anew. */
writeFileSync(new URL('../../../../config/sentinel.default.yaml', import.meta.url), renderDefaultFile());
