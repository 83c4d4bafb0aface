"""What ``msqsm add`` can take over: one module each, like a command."""
