"""The tool gateway and one file per tool: permit, confirm, audit, run, redact."""
