"""The core behind the C interface of a public judge of matching engines. README.md says how to be judged."""
