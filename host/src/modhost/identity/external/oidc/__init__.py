"""OpenID Connect: users and programs that another identity provider vouches for."""
