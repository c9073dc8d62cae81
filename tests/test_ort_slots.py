"""The slots of csrc/ort/abi.hpp against a second list, so that a slipped number or type is caught.

The list was typed from a table that a compiler checked against ONNX Runtime's own header and that agrees with
its static asserts; all but the CUDA functions were called in five releases. Enums are int, as they are in C.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ABI = Path(__file__).parents[1] / "csrc" / "ort" / "abi.hpp"

# ONNX Runtime's own static assert: the last slot of version 15 of the table.
LAST_SLOT_OF_VERSION_15 = 254

# name: (slot, version of the table that brought it, signature)
SLOTS = {
    "CreateStatus": (0, 1, "Status*(int, const char*)"),
    "GetErrorCode": (1, 1, "int(const Status*)"),
    "GetErrorMessage": (2, 1, "const char*(const Status*)"),
    "CreateEnv": (3, 1, "Status*(int, const char*, Env**)"),
    "DisableTelemetryEvents": (6, 1, "Status*(const Env*)"),
    "CreateSession": (7, 1, "Status*(const Env*, const char*, const SessionOptions*, Session**)"),
    "CreateSessionFromArray": (
        8,
        1,
        "Status*(const Env*, const void*, size_t, const SessionOptions*, Session**)",
    ),
    "Run": (
        9,
        1,
        "Status*(Session*, const RunOptions*, const char* const*, const Value* const*, "
        "size_t, const char* const*, size_t, Value**)",
    ),
    "CreateSessionOptions": (10, 1, "Status*(SessionOptions**)"),
    "SetSessionExecutionMode": (13, 1, "Status*(SessionOptions*, int)"),
    "SetSessionLogSeverityLevel": (22, 1, "Status*(SessionOptions*, int)"),
    "SetSessionGraphOptimizationLevel": (23, 1, "Status*(SessionOptions*, int)"),
    "SetIntraOpNumThreads": (24, 1, "Status*(SessionOptions*, int)"),
    "SetInterOpNumThreads": (25, 1, "Status*(SessionOptions*, int)"),
    "SessionGetInputCount": (30, 1, "Status*(const Session*, size_t*)"),
    "SessionGetOutputCount": (31, 1, "Status*(const Session*, size_t*)"),
    "SessionGetInputTypeInfo": (33, 1, "Status*(const Session*, size_t, TypeInfo**)"),
    "SessionGetOutputTypeInfo": (34, 1, "Status*(const Session*, size_t, TypeInfo**)"),
    "SessionGetInputName": (36, 1, "Status*(const Session*, size_t, Allocator*, char**)"),
    "SessionGetOutputName": (37, 1, "Status*(const Session*, size_t, Allocator*, char**)"),
    "CreateTensorWithDataAsOrtValue": (
        49,
        1,
        "Status*(const MemoryInfo*, void*, size_t, const int64_t*, size_t, int, Value**)",
    ),
    "GetTensorMutableData": (51, 1, "Status*(Value*, void**)"),
    "CastTypeInfoToTensorInfo": (55, 1, "Status*(const TypeInfo*, const TensorInfo**)"),
    "GetOnnxTypeFromTypeInfo": (56, 1, "Status*(const TypeInfo*, int*)"),
    "GetTensorElementType": (60, 1, "Status*(const TensorInfo*, int*)"),
    "GetDimensionsCount": (61, 1, "Status*(const TensorInfo*, size_t*)"),
    "GetDimensions": (62, 1, "Status*(const TensorInfo*, int64_t*, size_t)"),
    "GetTensorTypeAndShape": (65, 1, "Status*(const Value*, TensorInfo**)"),
    "CreateCpuMemoryInfo": (69, 1, "Status*(int, int, MemoryInfo**)"),
    "AllocatorFree": (76, 1, "Status*(Allocator*, void*)"),
    "GetAllocatorWithDefaultOptions": (78, 1, "Status*(Allocator**)"),
    "ReleaseStatus": (93, 1, "void(Status*)"),
    "ReleaseMemoryInfo": (94, 1, "void(MemoryInfo*)"),
    "ReleaseSession": (95, 1, "void(Session*)"),
    "ReleaseValue": (96, 1, "void(Value*)"),
    "ReleaseTypeInfo": (98, 1, "void(TypeInfo*)"),
    "ReleaseTensorTypeAndShapeInfo": (99, 1, "void(TensorInfo*)"),
    "ReleaseSessionOptions": (100, 1, "void(SessionOptions*)"),
    "SessionGetModelMetadata": (111, 2, "Status*(const Session*, ModelMetadata**)"),
    "ModelMetadataLookupCustomMetadataMap": (
        116,
        2,
        "Status*(const ModelMetadata*, Allocator*, const char*, char**)",
    ),
    "ReleaseModelMetadata": (118, 2, "void(ModelMetadata*)"),
    "ModelMetadataGetCustomMetadataMapKeys": (
        123,
        3,
        "Status*(const ModelMetadata*, Allocator*, char***, int64_t*)",
    ),
    "GetAvailableProviders": (125, 4, "Status*(char***, int*)"),
    "ReleaseAvailableProviders": (126, 4, "Status*(char**, int)"),
    "AddSessionConfigEntry": (130, 5, "Status*(SessionOptions*, const char*, const char*)"),
    "SessionOptionsAppendExecutionProvider_CUDA_V2": (
        204,
        11,
        "Status*(SessionOptions*, const CudaOptions*)",
    ),
    "CreateCUDAProviderOptions": (205, 11, "Status*(CudaOptions**)"),
    "UpdateCUDAProviderOptions": (
        206,
        11,
        "Status*(CudaOptions*, const char* const*, const char* const*, size_t)",
    ),
    "ReleaseCUDAProviderOptions": (208, 11, "void(CudaOptions*)"),
    "GetBuildInfoString": (254, 15, "const char*()"),
}


def _source() -> str:
    return re.sub(r"\s+", " ", ABI.read_text(encoding="utf-8"))


def _declared() -> dict[str, tuple[int, str]]:
    found = re.findall(r"Slot<(\d+), ((?:(?!Slot<).)*?)> ?(\w+)\{ ?table\};", _source())
    return {name: (int(slot), _plain(signature)) for slot, signature, name in found}


def _plain(signature: str) -> str:
    return signature.replace("std::", "").replace("PathChar", "char").strip()


def test_every_declaration_was_parsed() -> None:
    assert len(_declared()) == len(re.findall(r"\{ ?table\};", _source())) == len(SLOTS)


@pytest.mark.parametrize("name", SLOTS)
def test_slot_and_signature(name: str) -> None:
    slot, _, signature = SLOTS[name]
    assert _declared()[name] == (slot, signature)


def test_no_slot_is_used_twice() -> None:
    slots = [slot for slot, _ in _declared().values()]
    assert len(set(slots)) == len(slots)


def test_requested_version_holds_every_slot() -> None:
    match = re.search(r"kApiVersion = (\d+);", _source())
    assert match is not None
    assert int(match[1]) == max(version for _, version, _ in SLOTS.values()) == 15
    assert max(slot for slot, _, _ in SLOTS.values()) <= LAST_SLOT_OF_VERSION_15
