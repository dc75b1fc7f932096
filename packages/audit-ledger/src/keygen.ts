/** Signing keys for whoever sets up an installation. */
export { ensureSigningKey, writeSigningKey } from './note/key-file.js';
export { generateSigningKeyText } from './note/keys.js';
