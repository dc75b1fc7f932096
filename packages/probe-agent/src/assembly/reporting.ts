import { VERSION } from '@sentinel/service-kit/version';
import { buildId } from '../identity/build-id.js';
import { Events } from '../reporting/events.js';
import { Reporter } from '../reporting/reporter.js';
import { PatientAppender } from '../spool/patient-append.js';
import type { ProbeSpool } from '../spool/probe-spool.js';
import type { Common } from './common.js';

export interface Reporting {
  readonly build: string;
  readonly reporter: Reporter;
  readonly events: Events;
  readonly appender: PatientAppender;
}

/** From results and events to durable records. */
export function makeReporting(common: Common, spool: ProbeSpool, onAppended: () => void): Reporting {
  const { settings, testbed, log, clock, metrics, devices, fatal } = common;
  const { config } = settings;
  const appender = new PatientAppender({ append: (payload) => spool.append(payload), onAppended, onLost: fatal, log });
  const build = buildId(VERSION, testbed.addonFile, `${import.meta.dirname}/..`);
  const reporter = new Reporter({
    buildId: build,
    testBuild: testbed.info.testBuild,
    batchSize: config.batch_size,
    flushIntervalMs: config.batch_flush_interval_ms,
    smsOf: devices.smsOf,
    clock,
    append: (payload) => appender.append(payload),
  });
  return { build, reporter, appender, events: new Events({ reporter, metrics, log, ownerOf: devices.ownerOf }) };
}
