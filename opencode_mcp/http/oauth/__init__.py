"""OAuth 2.1 resource server: access tokens of an issuer, and what they permit."""
