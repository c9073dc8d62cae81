#include "core/cpu.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace lprfast {
namespace {

Isa processor_isa() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vbmi");
  if (avx512) return Isa::avx512;
  if (__builtin_cpu_supports("avx2")) return Isa::avx2;
#endif
  return Isa::scalar;
}

Isa chosen_isa() {
  const Isa processor = processor_isa();
  const char* wanted = std::getenv("LPRFAST_ISA");
  if (wanted == nullptr) return processor;
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (std::string(wanted) == isa_name(isa)) return std::min(isa, processor);
  }
  throw std::invalid_argument(std::string("LPRFAST_ISA: expected scalar, avx2 or avx512, got '") + wanted +
                              "'");
}

}  // namespace

Isa best_isa() {
  static const Isa isa = chosen_isa();
  return isa;
}

std::vector<Isa> available_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (isa <= processor_isa()) isas.push_back(isa);
  }
  return isas;
}

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::scalar:
      break;
  }
  return "scalar";
}

Isa isa_from_name(const std::string& name) {
  if (name == "auto") return best_isa();
  std::string known = "auto";
  for (const Isa isa : available_isas()) {
    if (name == isa_name(isa)) return isa;
    known += std::string(", ") + isa_name(isa);
  }
  throw std::invalid_argument("isa: expected one of " + known + " on this machine, got '" + name + "'");
}

}  // namespace lprfast
