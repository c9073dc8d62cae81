// Which instruction set the kernels use: the best that the processor has, unless told otherwise.
#pragma once

#include <string>
#include <vector>

namespace lprfast {

enum class Isa { scalar = 0, avx2 = 1, avx512 = 2 };

// Best path that this processor and build can run. The environment variable LPRFAST_ISA (scalar, avx2 or
// avx512) lowers it, for tests and for hunting bugs; it never raises it above what the processor has. Throws
// std::invalid_argument when that variable is something else.
Isa best_isa();
std::vector<Isa> available_isas();
const char* isa_name(Isa isa);
// Throws std::invalid_argument for an unknown name or a path that this machine cannot run; "auto" is
// best_isa().
Isa isa_from_name(const std::string& name);

}  // namespace lprfast
