"""The command line. It never imports Qt, and torch only when a command needs it."""
