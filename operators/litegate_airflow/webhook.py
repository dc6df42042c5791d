"""A notifier that posts JSON to an address that an Airflow connection holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from airflow.sdk import BaseHook, BaseNotifier
from typing_extensions import override

from litegate.records import Notice

if TYPE_CHECKING:
    from airflow.sdk import Connection, Context

__all__ = ["WebhookNotifier"]


class WebhookNotifier(BaseNotifier):
    """Posts the text and, where there is one, litegate's notice to a web hook; a failure is only logged.

    The connection's host is the public part of the address, such as `https://hooks.example.org/services`, and its
    password is the secret rest of the path, which is masked in logs.

    Args:
        conn_id: the Airflow connection.
        text: a template.
        timeout: seconds for which the server may be silent.
    """

    template_fields = ("text",)

    def __init__(
        self, conn_id: str, text: str = "{{ notice.model }}: {{ notice.sentence }}", timeout: float = 10
    ) -> None:
        super().__init__()
        self.conn_id, self.text, self.timeout = conn_id, text, timeout

    @override
    def notify(self, context: Context) -> None:
        """Post; what the server or the network says against it goes to the log, without the address."""
        try:
            address = self._address(BaseHook.get_connection(self.conn_id))
            httpx.post(address, json=self._body(context), timeout=self.timeout).raise_for_status()
        except Exception as error:
            self.log.warning("the web hook of connection %s was not called: %s", self.conn_id, _without_address(error))

    @override
    async def async_notify(self, context: Context) -> None:
        """The same in the triggerer."""
        try:
            address = self._address(await BaseHook.aget_connection(self.conn_id))
            async with httpx.AsyncClient(timeout=self.timeout) as client:
                (await client.post(address, json=self._body(context))).raise_for_status()
        except Exception as error:
            self.log.warning("the web hook of connection %s was not called: %s", self.conn_id, _without_address(error))

    def _body(self, context: Context) -> dict[str, Any]:
        notice = dict(context).get("notice")
        return {"text": self.text} | (notice.to_json() if isinstance(notice, Notice) else {})

    def _address(self, connection: Connection) -> str:
        """The whole address; only what is sent unchanged is masked in logs."""
        host, port = connection.host or "", f":{connection.port}" if connection.port else ""
        public = host if "://" in host else f"{connection.schema or 'https'}://{host}{port}"
        address = f"{public.rstrip('/')}/{(connection.password or '').lstrip('/')}"
        try:
            unchanged = host != "" and str(httpx.URL(address)) == address
        except httpx.InvalidURL:
            unchanged = False
        if not unchanged:
            raise ValueError("expected a host and a password that make an address, percent-encoded where it must be")
        return address


def _without_address(error: Exception) -> str:
    """What went wrong; httpx names the address where the server refuses."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    return f"{type(error).__name__}: {error}"
