"""Certificates: profiles and issuing. Pure: time, serial numbers and keys are passed in."""
