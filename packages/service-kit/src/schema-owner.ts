/** One step of a schema, as the store has it. */
export interface StepStatus {
  readonly name: string;
  readonly done: boolean;
  /** This version has the step; one of a newer version may be there as well. */
  readonly known: boolean;
}

/** A store whose schema has steps. */
export interface SchemaOwner extends AsyncDisposable {
  /** All steps, or those up to `to`. @returns the steps that were taken */
  up(to: string | undefined): Promise<readonly string[]>;
  /** The newest step, or all above `to` (`none` = every one), with all that they hold. @returns the steps that were taken back */
  down(to: string | undefined): Promise<readonly string[]>;
  /** Oldest first. */
  status(): Promise<readonly StepStatus[]>;
}

/** Where a step stands, in words. */
export function stepStands({ done, known }: StepStatus): string {
  if (!done) return 'missing';
  return known ? 'done' : 'done by a newer version';
}
