"""Registries of certificates and credits."""
