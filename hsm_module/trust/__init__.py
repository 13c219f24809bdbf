"""Trust services: the status of certificates, CRLs, OCSP answers, timestamps, own certificates."""
