"""What the settings of a training run have in common, whatever it trains."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeVar

S = TypeVar("S", bound="Settings")


@dataclass(frozen=True)
class Settings:
    """Plain values that a checkpoint holds. ``CHANGEABLE``: what may differ between the starts of one run:
    how it is run and when it ends, not what it learns from."""

    CHANGEABLE: ClassVar[frozenset[str]] = frozenset()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as they are stored."""
        return asdict(self)

    @classmethod
    def from_dict(cls: type[S], values: dict[str, Any]) -> S:
        """The reverse of ``to_dict``; keys of other versions are passed over."""
        known = {field.name for field in fields(cls)}
        kept: dict[str, Any] = {}
        for key in known & values.keys():
            kept[key] = tuple(values[key]) if isinstance(values[key], list) else values[key]
        return cls(**kept)

    def resumed(self: S, given: dict[str, Any]) -> S:
        """This run's settings with the flags that may change at a new start.

        Raises:
            ValueError: a flag would change what is trained.
        """
        changed = {k: v for k, v in given.items() if v != getattr(self, k)}
        for key in changed:
            if key not in self.CHANGEABLE:
                raise ValueError(
                    f"--{key.replace('_', '-')}: the run was started with {getattr(self, key)!r} and cannot "
                    f"go on with {changed[key]!r}; leave the flag out, or start another run with --init"
                )
        return self.from_dict({**self.to_dict(), **changed})


def require(condition: bool, flag: str, expected: str, got: object) -> None:
    """Raises ValueError that names the flag, what was expected and what came, unless ``condition``."""
    if not condition:
        raise ValueError(f"{flag}: expected {expected}, got {got!r}")
