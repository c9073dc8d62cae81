// A picture too large for one run of a super-resolution model: overlapping patches, blended.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace lprfast::pipeline {

struct PatchSpec {
  std::int64_t size = 128;    // pixels a side, before enlarging
  std::int64_t overlap = 32;  // of neighbours, at least; under `size`
  std::int64_t margin = 8;  // of a patch towards a neighbour, with weight 0: there the patch's own edge shows
};

// The patches along one axis of `length` pixels.
struct PatchAxis {
  std::int64_t size = 0;                    // the length itself where one patch holds it
  std::vector<std::int64_t> starts;         // evenly spread, the last one ends with the axis
  std::vector<std::vector<float>> weights;  // of each patch, [scale * size]; those of a place add up to 1
};

// Throws std::invalid_argument for a spec that cannot be used (2 * margin must be under overlap).
PatchAxis patch_axis(std::int64_t length, int scale, const PatchSpec& spec);

struct Picture {
  std::int64_t height = 0;
  std::int64_t width = 0;
  int channels = 1;
};

struct Patch {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

// The patch enlarged: [channels, scale * height, scale * width], valid until the next call.
using RunPatch = std::function<const float*(const Patch&)>;
// Row y of the enlarged picture, [channels, scale * width], from top to bottom.
using TakeRow = std::function<void(std::int64_t y, const float* row)>;

// The weights are smooth (a raised cosine across the overlap) and add up to 1 everywhere. So an operator that
// looks no further than `margin` pixels gives what it gives of the whole picture. Holds one band of patches.
void run_in_patches(const Picture& picture, int scale, const PatchSpec& spec, const RunPatch& run,
                    const TakeRow& take);

}  // namespace lprfast::pipeline
