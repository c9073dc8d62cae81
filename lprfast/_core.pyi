from typing import Any

import numpy as np
import numpy.typing as npt

version: str

class ModelError(ValueError): ...
class OrtError(RuntimeError): ...

def usable_processors() -> int: ...
def best_isa() -> str: ...
def available_isas() -> list[str]: ...

class Reader:
    def __init__(
        self,
        session: Session,
        *,
        symbols: tuple[str, ...],
        blank: int,
        height: int,
        width: int,
        fit: str,
        kernel: str,
        mean: float,
        scale: float,
        color: str,
        logits: bool,
        temperature: float,
        min_confidence: float,
        threads: int,
        batch: int,
    ) -> None: ...
    def read(self, crops: list[Any], nbest: int = 0) -> list[tuple[Any, ...]]: ...
    @property
    def steps(self) -> int: ...
