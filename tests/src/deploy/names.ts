import type { ComposeFile, ComposeService } from './compose-file.js';

/** A row of the table in docs/names.md. */
export interface DocumentedService {
  readonly service: string;
  readonly container: string;
  readonly ports: readonly string[];
  /** `up`, or the profile that it needs. */
  readonly startedBy: string;
  readonly image: string;
}

/** Rows of the table whose header begins with "service". @throws Error where there is none */
export function documentedServices(page: string): DocumentedService[] {
  const lines = page.split('\n');
  const header = lines.findIndex((line) => /^\| service +\|/.test(line));
  if (header < 0) throw new Error('there is no table of services');
  const end = lines.findIndex((line, index) => index > header && !line.startsWith('|'));
  return lines.slice(header + 2, end).map((line) => {
    const [, service = '', container = '', ports = '', startedBy = '', image = ''] = line
      .split('|')
      .map((cell) => cell.trim());
    return { service, container, ports: ports.split(' ').filter((port) => port !== ''), startedBy, image };
  });
}

/** Every documented name that a compose file lacks, in words. */
export function missingNames(documented: readonly DocumentedService[], compose: ComposeFile): string[] {
  return documented.flatMap((row) => {
    const found = compose.services?.[row.service];
    return found === undefined
      ? [`service ${row.service}`]
      : differences(row, found).map((what) => `${row.service}: ${what}`);
  });
}

function differences({ container, ports, startedBy, image }: DocumentedService, found: ComposeService): string[] {
  const published = found.ports ?? [];
  const profile = found.profiles?.join(' ') ?? 'up';
  return [
    ...(found.container_name === container ? [] : [`container ${container}`]),
    ...ports
      .filter((port) => !published.some((each) => each.startsWith(`127.0.0.1:${port}:`)))
      .map((port) => `port ${port}`),
    ...(profile === startedBy ? [] : [`started by ${startedBy}`]),
    ...(found.image === image || found.image.startsWith(`${image}:`) ? [] : [`image ${image}`]),
  ];
}
