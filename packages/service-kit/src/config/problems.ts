import { EXIT } from '../errors.js';

/** Where a value comes from. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'fallback'; readonly from: string }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'override'; readonly key: string };

/** `sentinel.yaml:12`, `environment variable SENTINEL_…`, `--override tls.enabled`. Never holds a value. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'fallback':
      return origin.from;
    case 'file':
      return `${origin.file}:${origin.line}`;
    case 'environment':
      return `environment variable ${origin.variable}`;
    case 'override':
      return `--override ${origin.key}`;
  }
}

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** Where it was set; absent for a problem that no single place caused. */
  readonly origin?: Origin;
  /** Full dotted key, with its section; absent for a problem of a whole file. */
  readonly key?: string;
  readonly reason: string;
  /** The valid key that was probably meant, as it would be written in that place. */
  readonly nearest?: string;
}

/** One line: place, key, reason, nearest valid key. */
export function describeProblem(problem: ConfigProblem): string {
  const place = problem.origin === undefined ? undefined : describeOrigin(problem.origin);
  const hint = problem.nearest === undefined ? '' : `; did you mean ${problem.nearest}?`;
  return [place, problem.key, `${problem.reason}${hint}`].filter((part) => part !== undefined).join(': ');
}

/** The configuration is wrong in the ways that `problems` lists, all of them. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** systemd and our supervisor do not restart a service that ends with it. */
  readonly exitCode = EXIT.configuration;
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describeProblem).join('\n'));
    this.problems = problems;
  }
}

/** The command line is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode = EXIT.usage;
}

/** The command line asked for a text (help, version, effective configuration) rather than for the service. */
export class Answer extends Error {
  override readonly name = 'Answer';
  readonly exitCode = EXIT.ok;
  /** For stdout. */
  readonly text: string;

  constructor(text: string) {
    super('the command line asked for a text only');
    this.text = text;
  }
}

/** Collects problems while reading goes on, so that one start reports them all. */
export class ProblemList {
  readonly errors: ConfigProblem[] = [];
  readonly warnings: ConfigProblem[] = [];

  add(severity: Severity, problem: ConfigProblem): void {
    (severity === 'error' ? this.errors : this.warnings).push(problem);
  }

  /** @throws ConfigError if there is any error */
  throwIfAny(): void {
    if (this.errors.length > 0) throw new ConfigError(this.errors);
  }
}

export type Severity = 'error' | 'warning';
