import { setFlagsFromString } from 'node:v8';

// First import of a main: young objects of a daemon that waits most of the time need no 16 MB to themselves.
for (const flag of ['--semi-space-growth-factor=1', '--max-semi-space-size=1', '--optimize-for-size'])
  setFlagsFromString(flag);
