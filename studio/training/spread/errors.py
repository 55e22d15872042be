"""How a run of several processes fails."""

from __future__ import annotations


class TeamError(Exception):
    """Another process of the run is gone, or does not answer. The run may be begun again from its checkpoint."""
