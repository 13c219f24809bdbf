"""Life cycle of a user key: enrolment, certificate, policy of the PIN."""
