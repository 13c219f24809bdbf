"""`signer doctor`: every process examined from outside, and a canary that really signs."""
