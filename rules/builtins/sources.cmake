set(builtins_sources)
