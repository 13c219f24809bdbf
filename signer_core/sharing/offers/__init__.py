"""Offers: made for a partner, claimed by a phone through a link, collected once."""
