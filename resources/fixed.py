"""Resources that no run can configure anew."""

from __future__ import annotations

from typing import Any

import dagster as dg


def fixed(resource: dg.ConfigurableResource[Any]) -> dg.ResourceDefinition:
    """Its fields are the operator's, and the launchpad is for archivists."""
    return dg.ResourceDefinition.hardcoded_resource(resource)
