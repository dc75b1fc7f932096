import { randomUUID } from 'node:crypto';
import { AuditType } from '@sentinel/contracts/sentinel/v1/audit.js';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { IssueDirectiveRequest_Action as Action } from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { EXIT } from '@sentinel/service-kit/errors';
import { Command, CommanderError, Option } from 'commander';
import { choice, duration, moment, wholeNumber } from './arguments.js';
import { acceptRollback } from './commands/accept-rollback.js';
import { approve, listPending, reject } from './commands/approvals.js';
import { auditEvidence } from './commands/audit-evidence.js';
import { auditExport, auditReport, FRAMEWORKS, REPORT_FORMATS } from './commands/audit-export.js';
import { auditKey } from './commands/audit-key.js';
import { auditQuery } from './commands/audit-query.js';
import { auditVerify } from './commands/audit-verify.js';
import { directives } from './commands/directives.js';
import { explainGpu, gpuHistory, listGpus, showGpu } from './commands/gpus.js';
import { confirmIncident, listIncidents, releaseIncident, showIncident } from './commands/incidents.js';
import { order } from './commands/order.js';
import { clearSchedule, pauseGpu, resumeGpu, setSchedule } from './commands/probing.js';
import { resetRateLimit, showRateLimit } from './commands/rate-limit.js';
import { reportReplacement } from './commands/replacement-report.js';
import { type SimulateFlags, simulateFleet } from './commands/simulate.js';
import { status } from './commands/status.js';
import { showTrust } from './commands/trust.js';
import { watch } from './commands/watch.js';
import { type Context, type GlobalFlags, type Io, withContext } from './context.js';
import { failureOf, usageError } from './failure.js';
import { HELP_FOOTER } from './help.js';

/** Entries that a query shows at most; more are a job for the HTTP interface. */
const MAX_ENTRIES = 10_000;
const MAX_INTERVAL_S = 3_600;
const WIDTH = 80;

/** Runs the command line to its end. @returns the exit status; nothing is thrown */
export async function runCommandLine(argv: readonly string[], io: Io, defaultDataDir: string): Promise<number> {
  const cli = new CommandLine(io, defaultDataDir);
  try {
    await cli.program.parseAsync([...argv], { from: 'user' });
    return cli.status;
  } catch (error) {
    // Commander has said it already, or has printed the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const { sentence, status: exit } = failureOf(error);
    io.stderr.write(`sentinel: ${sentence}\n`);
    return exit;
  }
}

type Flags = Readonly<Record<string, string>>;

class CommandLine {
  readonly program: Command;
  status: number = EXIT.ok;
  readonly #io: Io;

  constructor(io: Io, defaultDataDir: string) {
    this.#io = io;
    // Subcommands take over what is set here, so it comes first.
    this.program = new Command('sentinel')
      .exitOverride()
      .configureHelp({ helpWidth: WIDTH, showGlobalOptions: false })
      .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
      .showHelpAfterError('Run it with --help for what it takes.');
    this.#globalFlags(defaultDataDir);
    this.program.description('Finds GPUs and CPUs that compute wrong answers without raising an error.');
    this.program.addHelpText('after', HELP_FOOTER);
    this.#watching();
    const gpus = this.#gpus();
    this.#trust();
    this.#pauses(gpus);
    this.#schedule();
    this.#orders();
    this.#reports();
    this.#incidents();
    this.#audit();
    this.#simulate();
  }

  #globalFlags(dataDir: string): void {
    this.program
      .option('--data <DIR>', 'data folder of the installation', dataDir)
      .option('--engine <HOST:PORT>', "the engine's gRPC port [from run/endpoints.json]")
      .option('--engine-http <HOST:PORT>', "the engine's HTTP port, for watch [likewise]")
      .option('--ledger <HOST:PORT>', "the ledger's gRPC port [likewise]")
      .option('--ledger-http <HOST:PORT>', "the ledger's HTTP port, for audit verify [likewise]")
      .option('--tls-ca <FILE>', 'authorities that sign the services (PEM); with the next two')
      .option('--tls-cert <FILE>', "the operator's certificate (PEM)")
      .option('--tls-key <FILE>', 'its key (PEM)')
      .option('--tls-server-name <NAME>', 'name in the certificates of the services, where it is not HOST')
      .option('--token-file <FILE>', "file with the operator's token, for orders")
      .addOption(new Option('--output <FORMAT>', 'how to answer').choices(['table', 'json']).default('table'))
      .addOption(new Option('--json', 'the same as --output json').implies({ output: 'json' }));
  }

  #watching(): void {
    this.program
      .command('status')
      .description('engine, ledger and fleet at one glance')
      .action(this.#run((context) => status(context)));
    this.program
      .command('watch')
      .description('prints what happens as it happens, until Ctrl-C')
      .option('--interval <SECONDS>', `time between two looks at counts, 1 to ${MAX_INTERVAL_S}`, '5')
      .action(
        this.#run((context, { interval = '5' }) =>
          watch(context, 1000 * wholeNumber('--interval', 1, MAX_INTERVAL_S)(interval)),
        ),
      );
  }

  #gpus(): Command {
    const gpus = this.program.command('gpus').description('the devices; ID may be the beginning of an id');
    gpus
      .command('list')
      .description('every device in a line')
      .option('--state <STATE>', 'healthy, suspect, quarantined, deep-test or condemned')
      .option('--node <PREFIX>', 'nodes whose names begin so')
      .option('--model <MODEL>', 'one model')
      .action(
        this.#run((context, { state, node, model }) =>
          listGpus(context, {
            ...(state === undefined ? {} : { state: choice('--state', GpuState, state) as GpuState }),
            ...(node === undefined ? {} : { nodePrefix: node }),
            ...(model === undefined ? {} : { model }),
          }),
        ),
      );
    gpus
      .command('show <ID>')
      .description('one device: who it is, how it stands, what was tested, what its sensors say')
      .action(this.#run((context, _flags, id) => showGpu(context, id)));
    gpus
      .command('explain <ID>')
      .description('why it is in its state: sentences, gates, wrong results, transitions, what would change it')
      .action(this.#run((context, _flags, id) => explainGpu(context, id)));
    withTimes(gpus.command('history <ID>').description('its runs, events and telemetry, newest first'), '50').action(
      this.#run((context, flags, id) => gpuHistory(context, id, times(flags, context))),
    );
    return gpus;
  }

  #trust(): void {
    this.program
      .command('trust [ID]')
      .description('who computed the same as others: the least trusted devices, and whom they disagreed with')
      .option('--at <TIME>', 'as the newest snapshot before then has it: 2d ago as 2d, or 2026-03-01T12:00Z [now]')
      .option('--limit <N>', `devices and pairs at most, 1 to ${MAX_ENTRIES}`, '50')
      .action(
        this.#run((context, { at, limit = '50' }, gpu) =>
          showTrust(context, {
            gpu,
            limit: wholeNumber('--limit', 1, MAX_ENTRIES)(limit),
            atUs: at === undefined ? 0n : moment('--at', at, context.nowUs()),
          }),
        ),
      );
  }

  #pauses(gpus: Command): void {
    gpus
      .command('pause <ID>')
      .description('runs nothing on a device for a while (operators)')
      .option('--for <TIME>', 'how long, as 90m, 1h or 2d [until it is resumed]')
      .requiredOption('--reason <TEXT>', 'why; goes into the audit ledger')
      .action(
        this.#run((context, { for: time, reason = '' }, id) =>
          pauseGpu(context, id, time === undefined ? 0 : duration('--for', time), reason),
        ),
      );
    gpus
      .command('resume <ID>')
      .description('tests it again (operators)')
      .requiredOption('--reason <TEXT>', 'why; goes into the audit ledger')
      .action(this.#run((context, { reason = '' }, id) => resumeGpu(context, id, reason)));
  }

  #schedule(): void {
    const schedule = this.program.command('schedule').description('which probes the agent of a node runs how often');
    schedule
      .command('set <NODE> <FILE>')
      .description('follows this schedule file in place of its own (operators)')
      .requiredOption('--reason <TEXT>', 'why; goes into the audit ledger')
      .action(this.#run((context, { reason = '' }, node, file) => setSchedule(context, node, file, reason)));
    schedule
      .command('clear <NODE>')
      .description('follows its own file again (operators)')
      .requiredOption('--reason <TEXT>', 'why; goes into the audit ledger')
      .action(this.#run((context, { reason = '' }, node) => clearSchedule(context, node, reason)));
  }

  #orders(): void {
    const verbs: readonly (readonly [string, Action, string])[] = [
      ['quarantine', Action.QUARANTINE, 'takes a device out'],
      ['reinstate', Action.REINSTATE, 'takes it back, as healthy'],
      ['deep-test', Action.SCHEDULE_DEEP_TEST, 'tests a quarantined device thoroughly'],
      ['condemn', Action.CONDEMN, 'takes it out for good'],
    ];
    for (const [verb, action, description] of verbs) {
      const evidence: string[] = [];
      const command = this.program
        .command(verb)
        .argument('<ID>', 'device, or the beginning of its id')
        .description(`${description} (operators)`)
        .option('--reason <TEXT>', 'why; goes into the audit ledger (required)')
        .option('--requires-approval', 'waits until another operator approves it')
        .option(
          '--evidence <TEXT>',
          'what speaks for it: an id, a ticket, a link; may be repeated, goes into the audit ledger',
          (text: string) => evidence.push(text),
        )
        .option('--id <ID>', 'id of the directive: repeating one changes nothing [a fresh one]')
        .action(
          this.#run((context, { reason, id, requiresApproval }, gpu) =>
            order(context, {
              gpu,
              action,
              reason: given('--reason <TEXT>', reason),
              directiveId: id ?? randomUUID(),
              requiresApproval: requiresApproval !== undefined,
              evidence,
            }),
          ),
        );
      if (action === Action.QUARANTINE) this.#pending(command);
    }
    const answers = [
      ['approve', approve, 'carries out what waits for approval'],
      ['reject', reject, 'drops what waits for approval; the evidence stays'],
    ] as const;
    for (const [verb, answer, description] of answers) {
      this.program
        .command(`${verb} <DIRECTIVE>`)
        .description(`${description} (operators)`)
        .requiredOption('--reason <TEXT>', 'why; goes into the audit ledger')
        .action(this.#run((context, { reason = '' }, directiveId) => answer(context, directiveId, reason)));
    }
  }

  /** `quarantine` takes a device or this; so its own flags cannot be mandatory, which commander asks of subcommands too. */
  #pending(quarantine: Command): void {
    quarantine
      .command('pending')
      .description('what waits for an operator, oldest first')
      .action(this.#run((context) => listPending(context)));
  }

  #reports(): void {
    this.program
      .command('replacement-report <ID>')
      .description(
        'what the vendor of a device wants to see: identity, timeline, evidence, gates, temperature, ledger entries',
      )
      .option('--output-file <FILE>', 'writes it there, as text or, with --output json, as JSON')
      .action(this.#run((context, { outputFile }, id) => reportReplacement(context, id, outputFile)));
  }

  #incidents(): void {
    const incidents = this.program
      .command('incidents')
      .description('faults of software or of a node, which hold quarantines; ID may be the beginning of one');
    incidents
      .command('list')
      .description('those that hold')
      .option('--all', 'also those that ended')
      .action(this.#run((context, { all }) => listIncidents(context, all !== undefined)));
    incidents
      .command('show <ID>')
      .description('one: why it was opened, what it holds, how to answer it')
      .action(this.#run((context, _flags, id) => showIncident(context, id)));
    const answers = [
      ['confirm', confirmIncident, 'no fault of the devices: what it explains does not count against them'],
      ['release', releaseIncident, 'a fault of the devices: it holds no quarantine any more'],
    ] as const;
    for (const [verb, answer, description] of answers) {
      incidents
        .command(`${verb} <ID>`)
        .description(`${description} (operators)`)
        .requiredOption('--reason <TEXT>', 'why; goes into the audit ledger')
        .action(this.#run((context, { reason = '' }, id) => answer(context, id, reason)));
    }
    const limit = this.program.command('rate-limit').description('the limit of automatic quarantines');
    limit
      .command('show')
      .description('how much of it is used')
      .action(this.#run((context) => showRateLimit(context)));
    limit
      .command('reset')
      .description('gives it all its room again (operators)')
      .requiredOption('--reason <TEXT>', 'why; goes into the audit ledger')
      .action(this.#run((context, { reason = '' }) => resetRateLimit(context, reason)));
    this.program
      .command('directives')
      .description('what orchestrators are told: quarantines, cordons and their ends, until Ctrl-C')
      .option('--after <CURSOR>', 'what comes after this one, as printed [the oldest that is kept]')
      .option('--from-now', 'only what is new')
      .option('--once', 'ends after what is stored')
      .action(
        this.#run((context, { after, fromNow, once }) =>
          directives(context, { after, fromNow: fromNow !== undefined, once: once !== undefined }),
        ),
      );
  }

  #audit(): void {
    const audit = this.program.command('audit').description('the signed log of everything that was decided');
    withTimes(audit.command('query').description('its entries, newest first'), '50')
      .option('--gpu <ID>', 'about this device')
      .option('--type <TYPE>', 'probe, anomaly, decision, agreement, configuration, system or approval')
      .action(
        this.#run((context, { gpu = '', type, ...flags }) => {
          const wanted = type === undefined ? AuditType.UNSPECIFIED : (choice('--type', AuditType, type) as AuditType);
          return auditQuery(context, { gpu, type: wanted, ...times(flags, context) });
        }),
      );
    audit
      .command('accept-rollback')
      .description(
        'the ledger was rolled back on purpose: the engine goes on and sends again what it still has (operators)',
      )
      .requiredOption('--reason <TEXT>', 'why; goes into the audit ledger')
      .action(this.#run((context, { reason = '' }) => acceptRollback(context, reason)));
    audit
      .command('verify')
      .description('recomputes the log and says what was proven: 0 as signed, 1 tampered, 69 could not be verified')
      .option('--key <VKEY>', 'note verifier key to believe [pinned at first use]')
      .option('--depth <N>', 'the newest N entries alone [all]')
      .option('--full', 'also holds details against what their entries committed to')
      .action(
        this.#run((context, { key, depth, full }) =>
          auditVerify(context, {
            key,
            depth: depth === undefined ? undefined : wholeNumber('--depth', 1, Number.MAX_SAFE_INTEGER)(depth),
            full: full !== undefined,
          }),
        ),
      );
    withPeriod(
      audit.command('export').description('copies entries with all that proves them, for whoever verifies offline'),
    )
      .option('--file <PATH>', 'a new folder, or a new file that ends in .tar (required)')
      .action(
        this.#run((context, { key, from, to, file }) =>
          auditExport(context, { key, from, to, file: given('--file', file) }),
        ),
      );
    withPeriod(
      audit
        .command('report <FRAMEWORK>')
        .description('soc2 or iso27001: what the log shows, with evidence that verifies itself'),
    )
      .option('--format <FORMAT>', 'json, csv or pdf', 'pdf')
      .option('--file <PATH>', 'a new file for the report (required)')
      .option('--evidence <PATH>', 'a new folder or .tar file for the evidence [FILE-evidence.tar]')
      .action(
        this.#run((context, { key, from, to, format, file, evidence }, framework) => {
          const path = given('--file', file);
          return auditReport(context, {
            framework: oneOf('FRAMEWORK', FRAMEWORKS, framework),
            format: oneOf('--format', REPORT_FORMATS, format ?? ''),
            key,
            from,
            to,
            file: path,
            evidence: evidence ?? `${path}-evidence.tar`,
          });
        }),
      );
    audit
      .command('evidence <FILE>')
      .description(
        'says what a fork-evidence file of a reader proves: 0 two different logs were signed, 1 nothing such',
      )
      .option('--key <VKEY>', 'note verifier key of the log [the pinned one]')
      .action(this.#run((context, { key }, file) => Promise.resolve(auditEvidence(context, file ?? '', key))));
    audit
      .command('key')
      .description('prints the note verifier key of the log')
      .action(this.#run((context) => auditKey(context)));
  }

  #simulate(): void {
    this.program
      .command('simulate [SCENARIO]')
      .description(
        'what the engine would do: a scenario by name or file; without one their names, or one defect in question',
      )
      .option('--seed <N>', 'the same seed gives the same events', '1')
      .option('--replicates <N>', 'runs, with the seeds from there on [1, of one defect 100]')
      .option(
        '--set <KEY=VALUE>',
        'changes the scenario, as fleet.gpus=64; again for more',
        (value, before?: string) => (before === undefined ? value : `${before}\n${value}`),
      )
      .option('--rate <P>', 'one defect: it fails so many of its executions, as 1e-3')
      .option('--cadence <SECONDS>', 'every family runs so often [as the schedule says]')
      .option('--prior <N>', 'defects of single units expected per GPU and year')
      .option('--html <FILE>', 'writes the report with its plots there as well')
      .action((name: string | undefined, flags: SimulateFlags) => {
        const { output }: GlobalFlags = this.program.opts();
        this.status = simulateFleet(this.#io, output === 'json', name ?? '', flags);
      });
  }

  /** Wraps a command as the action of a commander command; its flags arrive as text, checked by whoever uses them. */
  #run(command: (context: Context, flags: Flags, positional: string, second: string) => Promise<number>) {
    return async (...args: unknown[]): Promise<void> => {
      const self = args.at(-1) as Command;
      const globals: GlobalFlags = this.program.opts();
      const [positional = '', second = ''] = self.args;
      this.status = await withContext(globals, this.#io, (context) =>
        command(context, self.opts(), positional, second),
      );
    };
  }
}

function given(flag: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw usageError(flag, `required option '${flag}' not specified`);
}

function oneOf<T extends string>(flag: string, values: readonly T[], text: string): T {
  const found = values.find((value) => value === text);
  if (found !== undefined) return found;
  throw usageError(flag, `${flag} takes ${values.join(', ')}`);
}

function withPeriod(command: Command): Command {
  return command
    .option('--from <SEQ|TIME>', 'first entry, by number, date or UTC time at which it was taken [0]')
    .option('--to <SEQ|TIME>', 'last entry; a date is included, a time is not [the newest]')
    .option('--key <VKEY>', 'note verifier key to believe [the pinned one, or what the ledger says]');
}

function withTimes(command: Command, limit: string): Command {
  return command
    .option('--since <TIME>', 'from then on: 90m, 2d, or 2026-03-01T12:00Z')
    .option('--until <TIME>', 'before then')
    .option('--limit <N>', `entries at most, 1 to ${MAX_ENTRIES}`, limit);
}

function times(
  { since, until, limit = '50' }: Flags,
  { nowUs }: Io,
): { startUs: bigint; endUs: bigint; limit: number } {
  return {
    startUs: since === undefined ? 0n : moment('--since', since, nowUs()),
    endUs: until === undefined ? 0n : moment('--until', until, nowUs()),
    limit: wholeNumber('--limit', 1, MAX_ENTRIES)(limit),
  };
}
