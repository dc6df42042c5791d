"""Requests to servers of this host do without certificates, and trust nobody who has one."""

from __future__ import annotations

import ssl

from litegate.stack.http import no_certificates


def test_it_knows_no_authority_and_would_accept_no_certificate_without_one() -> None:
    context = no_certificates()
    assert context.get_ca_certs() == []
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
