"""Trust services for anybody: certificates, CRLs, OCSP, timestamps."""
