"""OpenID Connect: users and programs that another identity provider vouches for.

The host includes it when `[modules.oidc]` is there; it needs the extra `modhost[oidc]`.
"""
