import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone's top folder. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
/** Node, pnpm and the stamps of set-up: one place per clone, wherever `--data` puts the data. */
export const TOOLCHAIN = path.join(ROOT, '.sentinel', 'toolchain');
export const STAMPS = path.join(TOOLCHAIN, 'stamps');
export const SETUP_LOGS = path.join(TOOLCHAIN, 'log');
/** Where bin/sentinel.mjs learns which Node to run under. */
export const CURRENT = path.join(TOOLCHAIN, 'current.json');
