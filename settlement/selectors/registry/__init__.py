"""Registries of certificates and credits: what there is, who holds it, what happened."""

from settlement.selectors.registry.blocks import AvailableBlock, available_blocks

__all__ = ["AvailableBlock", "available_blocks"]
