// The part of ONNX Runtime's C interface that lprfast calls, declared by hand so that no header is needed.
//
// OrtGetApiBase() gives two functions that never change; GetApi(version) gives a table of function pointers
// that only ever grows at its end. A slot is an index into that table; each is typed here once, so that no
// call casts. tests/test_ort_slots.py holds the same numbers a second time and compares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/error.hpp"

namespace lprfast::ort::abi {

// ONNX Runtime's objects, known by pointer only.
struct Status;
struct Env;
struct Session;
struct SessionOptions;
struct RunOptions;
struct Value;
struct MemoryInfo;
struct Allocator;
struct TypeInfo;
struct TensorInfo;
struct ModelMetadata;
struct CudaOptions;

using PathChar = std::filesystem::path::value_type;  // wchar_t on Windows, as ONNX Runtime has it
using Table = void* const*;

constexpr int kLogError = 3;
constexpr int kSequential = 0;
constexpr int kOptimiseAll = 99;
constexpr int kArenaAllocator = 1;
constexpr int kDefaultMemory = 0;
constexpr int kTensor = 1;   // ONNXType
constexpr int kFloat32 = 1;  // ONNXTensorElementDataType

// Error codes that a broken or missing model file gives.
constexpr int kNoSuchFile = 3;
constexpr int kNoModel = 4;
constexpr int kInvalidProtobuf = 7;
constexpr int kInvalidGraph = 10;

// The lowest version of the table that holds every slot below (GetBuildInfoString came with it).
constexpr std::uint32_t kApiVersion = 15;

struct ApiBase {
  Table (*GetApi)(std::uint32_t version);
  const char* (*GetVersionString)();
};
using GetApiBase = const ApiBase*();

// One function of the table; converts to a plain function pointer, so it is called like one.
template <std::size_t Index, class Signature>
class Slot {
 public:
  explicit Slot(Table table) : function_(reinterpret_cast<Signature*>(table[Index])) {
    if (!function_) {
      throw OrtError("ONNX Runtime's function table is empty at slot " + std::to_string(Index), -1);
    }
  }
  operator Signature*() const noexcept { return function_; }

 private:
  Signature* function_;
};

// Every function that returns a Status* returns null on success; what is not null is released by the caller.
struct Api {
  explicit Api(Table functions) : table(functions) {}
  Table table;

  Slot<0, Status*(int, const char*)> CreateStatus{table};
  Slot<1, int(const Status*)> GetErrorCode{table};
  Slot<2, const char*(const Status*)> GetErrorMessage{table};
  Slot<93, void(Status*)> ReleaseStatus{table};

  Slot<3, Status*(int, const char*, Env**)> CreateEnv{table};
  Slot<6, Status*(const Env*)> DisableTelemetryEvents{table};
  Slot<254, const char*()> GetBuildInfoString{table};
  Slot<125, Status*(char***, int*)> GetAvailableProviders{table};
  Slot<126, Status*(char**, int)> ReleaseAvailableProviders{table};

  Slot<10, Status*(SessionOptions**)> CreateSessionOptions{table};
  Slot<100, void(SessionOptions*)> ReleaseSessionOptions{table};
  Slot<13, Status*(SessionOptions*, int)> SetSessionExecutionMode{table};
  Slot<22, Status*(SessionOptions*, int)> SetSessionLogSeverityLevel{table};
  Slot<23, Status*(SessionOptions*, int)> SetSessionGraphOptimizationLevel{table};
  Slot<24, Status*(SessionOptions*, int)> SetIntraOpNumThreads{table};
  Slot<25, Status*(SessionOptions*, int)> SetInterOpNumThreads{table};
  Slot<130, Status*(SessionOptions*, const char*, const char*)> AddSessionConfigEntry{table};

  Slot<205, Status*(CudaOptions**)> CreateCUDAProviderOptions{table};
  Slot<206, Status*(CudaOptions*, const char* const*, const char* const*, std::size_t)>
      UpdateCUDAProviderOptions{table};
  Slot<208, void(CudaOptions*)> ReleaseCUDAProviderOptions{table};
  Slot<204, Status*(SessionOptions*, const CudaOptions*)> SessionOptionsAppendExecutionProvider_CUDA_V2{
      table};

  Slot<7, Status*(const Env*, const PathChar*, const SessionOptions*, Session**)> CreateSession{table};
  Slot<8, Status*(const Env*, const void*, std::size_t, const SessionOptions*, Session**)>
      CreateSessionFromArray{table};
  Slot<95, void(Session*)> ReleaseSession{table};
  Slot<30, Status*(const Session*, std::size_t*)> SessionGetInputCount{table};
  Slot<31, Status*(const Session*, std::size_t*)> SessionGetOutputCount{table};
  Slot<33, Status*(const Session*, std::size_t, TypeInfo**)> SessionGetInputTypeInfo{table};
  Slot<34, Status*(const Session*, std::size_t, TypeInfo**)> SessionGetOutputTypeInfo{table};
  Slot<36, Status*(const Session*, std::size_t, Allocator*, char**)> SessionGetInputName{table};
  Slot<37, Status*(const Session*, std::size_t, Allocator*, char**)> SessionGetOutputName{table};

  Slot<56, Status*(const TypeInfo*, int*)> GetOnnxTypeFromTypeInfo{table};
  // What it gives is a part of the TypeInfo and is not released.
  Slot<55, Status*(const TypeInfo*, const TensorInfo**)> CastTypeInfoToTensorInfo{table};
  Slot<98, void(TypeInfo*)> ReleaseTypeInfo{table};
  Slot<60, Status*(const TensorInfo*, int*)> GetTensorElementType{table};
  Slot<61, Status*(const TensorInfo*, std::size_t*)> GetDimensionsCount{table};
  Slot<62, Status*(const TensorInfo*, std::int64_t*, std::size_t)> GetDimensions{table};
  Slot<99, void(TensorInfo*)> ReleaseTensorTypeAndShapeInfo{table};

  Slot<69, Status*(int, int, MemoryInfo**)> CreateCpuMemoryInfo{table};
  Slot<94, void(MemoryInfo*)> ReleaseMemoryInfo{table};
  Slot<49, Status*(const MemoryInfo*, void*, std::size_t, const std::int64_t*, std::size_t, int, Value**)>
      CreateTensorWithDataAsOrtValue{table};
  Slot<51, Status*(Value*, void**)> GetTensorMutableData{table};
  Slot<65, Status*(const Value*, TensorInfo**)> GetTensorTypeAndShape{table};
  Slot<96, void(Value*)> ReleaseValue{table};
  Slot<9, Status*(Session*, const RunOptions*, const char* const*, const Value* const*, std::size_t,
                  const char* const*, std::size_t, Value**)>
      Run{table};

  // The allocator of slot 78 belongs to ONNX Runtime and is never released.
  Slot<78, Status*(Allocator**)> GetAllocatorWithDefaultOptions{table};
  Slot<76, Status*(Allocator*, void*)> AllocatorFree{table};

  Slot<111, Status*(const Session*, ModelMetadata**)> SessionGetModelMetadata{table};
  Slot<118, void(ModelMetadata*)> ReleaseModelMetadata{table};
  Slot<116, Status*(const ModelMetadata*, Allocator*, const char*, char**)>
      ModelMetadataLookupCustomMetadataMap{table};
  Slot<123, Status*(const ModelMetadata*, Allocator*, char***, std::int64_t*)>
      ModelMetadataGetCustomMetadataMapKeys{table};
};

}  // namespace lprfast::ort::abi
