import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnose } from './diagnose.mjs';

const cases = [
  [
    'npm error code EAI_AGAIN\nnpm error syscall getaddrinfo',
    /No package registry could be reached \(fetching\): connect/,
  ],
  [' ERR_PNPM_META_FETCH_FAIL  GET x: request failed, reason: connect ECONNREFUSED', /No package registry/],
  [
    'npm error ENOSPC: no space left on device, write\nnpm error network timeout',
    /The disk that holds \/clone is full/,
  ],
  ['c++: fatal error: error writing to /tmp/x.s: No space left on device', /disk that holds/],
  ["Error: EACCES: permission denied, mkdir '/clone/node_modules'", /^\/clone\/node_modules cannot be written/],
  ['../core/fma32.h:12:3: error: expected ;', /^Compiling failed \(fetching\): .*fma32\.h:12:3: error: expected ;/],
  ["packages/a/src/b.ts(3,7): error TS2322: Type 'x'", /^Compiling failed .*b\.ts\(3,7\): error TS2322/],
  ['something odd\n\n', /^Fetching failed: something odd$/],
  ['', /^Fetching failed: it printed nothing\.$/],
];

for (const [output, expected] of cases) {
  test(`says what to do about: ${output.split('\n')[0] || 'no output'}`, () => {
    const sentence = diagnose('fetching', output, '/clone');
    assert.match(sentence, expected);
    assert.equal(sentence.includes('\n'), false);
  });
}
