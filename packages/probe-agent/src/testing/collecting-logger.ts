import type { Logger } from '@sentinel/service-kit/logging';

/** A logger of which a test reads the lines. */
export function collectingLogger(): { readonly log: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const take = (fields: object | string, msg?: string) => {
    lines.push(typeof fields === 'string' ? { msg: fields } : { ...fields, msg });
  };
  const log = { info: take, warn: take, error: take, fatal: take, debug: take } as unknown as Logger;
  return { log, lines };
}
