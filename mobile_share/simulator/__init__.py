"""The phone in a browser, for development: the device library of a real phone behind web pages.

Its keys lie in files of this machine, so it protects nothing: whoever reads the folder, or reaches
the loopback port as this user, has the phone and is left with nine PINs at the vault.
"""
