import { setFlagsFromString } from 'node:v8';

// First import of main. What lives shortly here is the garbage of one commit: under load V8 would give it some 100 MB of resident
// memory, which takes no entry faster (`ledger-overload`).
for (const flag of ['--semi-space-growth-factor=1', '--max-semi-space-size=4']) setFlagsFromString(flag);
