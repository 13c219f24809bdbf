"""Trust services as everybody sees them: certificates, CRLs, OCSP, timestamps."""
