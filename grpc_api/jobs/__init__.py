"""What the worker does: kinds of jobs, their tries, and those that were given up."""
