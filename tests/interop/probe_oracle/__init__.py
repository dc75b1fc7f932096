"""An independent implementation of native-probes/docs/definition.md. Shares no code with the probes."""
