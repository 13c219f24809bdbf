"""Clients of every service: deadlines, typed errors, plain dataclasses instead of messages."""
