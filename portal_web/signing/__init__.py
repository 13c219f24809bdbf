"""The browser of a person whom a partner sent to sign: from its link to the page and back."""
