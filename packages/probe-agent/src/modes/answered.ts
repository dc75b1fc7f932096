/** What a command that is no daemon leaves. */
export interface Answered {
  readonly text: string;
  readonly exitCode: number;
}
