"""TLS for all three listeners, from one certificate; nothing else in the venue knows of it.

The files are read at the start: a new certificate needs a restart, or a proxy in front.
"""
import ssl

from engine.config import Tls
from engine.errors import ConfigError


def tls_context(tls: Tls) -> ssl.SSLContext | None:
    """For servers; None when no certificate is named. Raises ConfigError when the files cannot be used."""
    if not tls.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key or None)
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or error
        raise ConfigError(
            f"tls.certificate {tls.certificate}, tls.key {tls.key}: {why}: name PEM files that fit") from None
    return context


def own_client_context(tls: Tls) -> ssl.SSLContext | None:
    """For our own processes on this machine: they trust that certificate, whatever name it is for. None as above."""
    if not tls.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(tls.certificate)
    return context


def scheme(name: str, tls: Tls) -> str:
    """"http" or "ws", with an s when there is a certificate."""
    return f"{name}s" if tls.certificate else name
