import { setFlagsFromString } from 'node:v8';

// First import of the main of a service that handles many small objects, each of them for a moment: under load V8 would let their
// garbage grow to some 100 MB of resident memory, which makes nothing faster (`ledger-overload`, `inference-proxy`).
for (const flag of ['--semi-space-growth-factor=1', '--max-semi-space-size=4']) setFlagsFromString(flag);
