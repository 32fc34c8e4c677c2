"""TraceQL -> SQL over the table `spans` of some blocks. Values are only ever parameters."""
