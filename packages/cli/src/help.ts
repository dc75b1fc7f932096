/** What `sentinel --help` ends with. */
export const HELP_FOOTER = `
Flags of sentinel may stand before or after the command. sentinel COMMAND --help
shows the flags of a command.

Exit status: 0 ok; 1 the answer is no (tampered, not found, refused as illegal);
2 usage; 69 a service is away; 77 denied; 78 a file of the configuration is wrong.

--output json prints the answer of the service in the protobuf JSON mapping with
lowerCamelCase names: enumerations by name (GPU_STATE_QUARANTINED), bytes as
base64, times in microseconds since 1970. Every field is there, an absent one as
null, and a 64-bit integer is a number as long as a double holds it exactly, else
a string. Fields are added, never renamed.
  status        {engine, ledger: {address, ok, error}, summary, gpus}
  gpus list     {gpus, summary}       gpus show     a GpuHealth
                                      and its telemetry
  gpus explain  an ExplainDecisionResponse, with what
                tests/interop/recompute_mismatch.py reads as observations[].mismatch
  gpus history  {runs, telemetry, events}
  trust         a GetTrustGraphResponse
  watch         a {timeUs, gpu, text, event, data} per line; event is state, incident
                or directive with the data of GET /api/v1/events, else null
  audit query   {entries}, each with its event and its decoded detail
  audit verify  {ok, key, keyFrom, checkpoint, firstSeq, entries, details,
                 prunedDetails, prunedEntries, extendsSize, found, findings}
  audit accept-rollback {accepted: an AcceptLedgerRollbackResponse, forgotten}
  audit export  {ok, file, manifest, found, findings}
  audit report  {ok, file, evidence, found, findings}
  audit key     {key, from}           orders        {directiveId, transition, pending}
  quarantine pending  {pending}       approve       {directiveId, transition}
                                      reject        {directiveId}
  replacement-report  {madeUs, health, explanation, surroundings, ledger}
  incidents list      {incidents}     incidents show    {incident}, as confirm and
                                      release answer
  rate-limit show     a GetRateLimitResponse; rate-limit reset {forgotten}
  directives          a FleetDirective per line, its cursor as text for --after
`;
