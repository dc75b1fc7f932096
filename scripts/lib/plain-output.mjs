// Preloaded into test processes. nx forces colours on its tasks; what a test expects of a text must not hang on who started it.
delete process.env.FORCE_COLOR;
