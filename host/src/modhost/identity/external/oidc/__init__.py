"""OpenID Connect: users and programs of an external identity provider."""
