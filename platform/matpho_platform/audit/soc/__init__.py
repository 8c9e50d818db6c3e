"""The feed of security events to a security operations centre: syslog over TLS, CEF or OCSF-like JSON."""

from matpho_platform.audit.soc.settings import SocSettings

__all__ = ["SocSettings"]
