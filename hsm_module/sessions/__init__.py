"""Sessions with phones: enrolment and signing, each over one channel, each used once."""
