"""The key ceremony: tokens, keys, certificates and signed records of one deployment.

Run `python -m hsm_module.ceremony --home var`; again at any time: it completes what is missing
and replaces no key.
"""
