"""The sub-commands of ``frontdesk``, one module a topic. Each command imports what it needs when it runs."""
