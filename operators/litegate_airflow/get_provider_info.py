"""What Airflow's provider discovery reads; it must import nothing but the standard library."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """The provider's description, by Airflow's provider-info schema."""
    return {
        "package-name": "litegate",
        "name": "litegate",
        "description": "Decides which quantized LiteRT file may ship.",
        "extra-links": [
            f"litegate_airflow.ui.links.{name}" for name in ("ArtifactLink", "ReportLink", "RunLink", "VersionLink")
        ],
        "notifications": ["litegate_airflow.webhook.WebhookNotifier"],
    }
