"""What the library offers is what `__all__` names, sorted."""

import orders.clearing as engine


def test_public_names_are_sorted_and_exist() -> None:
    assert engine.__all__ == sorted(engine.__all__)
    assert all(hasattr(engine, name) for name in engine.__all__)
