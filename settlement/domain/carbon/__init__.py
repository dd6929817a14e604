"""Carbon rules R1–R20 of `docs/explanation/carbon-examples.md`, pure: no float, no database."""
