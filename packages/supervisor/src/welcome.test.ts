import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Places, welcome } from './welcome.js';

const PLACES: Places = {
  endpoints: {
    engine: { grpc: '127.0.0.1:50051', http: '127.0.0.1:8080' },
    ledger: { grpc: '127.0.0.1:50052', http: '127.0.0.1:8083' },
  },
  metrics: { ledger: '127.0.0.1:9091', engine: '127.0.0.1:9090', agent: '127.0.0.1:9092' },
  data: '/srv/sentinel',
  pgElsewhere: null,
  dataFlag: '',
  inject: undefined,
};

test('says where things are and what to try', () => {
  assert.equal(
    welcome(PLACES, 1.234).join('\n'),
    `
SENTINEL runs, ready after 1.2 s. It tests the GPUs of this machine, or its CPUs where it finds none.

          GRPC             HTTP            METRICS
  engine  127.0.0.1:50051  127.0.0.1:8080  127.0.0.1:9090
  ledger  127.0.0.1:50052  127.0.0.1:8083  127.0.0.1:9091
  agent                                    127.0.0.1:9092

  data  /srv/sentinel
  logs  /srv/sentinel/log

  npx sentinel status           how everything is
  npx sentinel gpus explain ID  why a device is in its state
  npx sentinel audit verify     that the signed record is whole

Ctrl-C stops everything.`,
  );
});

test('says that faults are injected, where else data lies, and the flag that the commands need', () => {
  const text = welcome(
    { ...PLACES, pgElsewhere: '/var/lib/sentinel/ab', dataFlag: " --data '/srv/my data'", inject: 'core=1' },
    2,
  ).join('\n');
  assert.match(text, /Faults are INJECTED \(core=1\)/);
  assert.match(text, /PostgreSQL's is in \/var\/lib\/sentinel\/ab/);
  assert.match(text, /each with --data '\/srv\/my data'/);
});
