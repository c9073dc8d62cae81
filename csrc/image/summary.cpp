#include "image/summary.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace lprfast::image {
namespace {

constexpr int kBlockRows = 4;
constexpr int kBlockColumns = 16;

// Block i of n along `size` pixels; a picture with fewer pixels than blocks repeats some.
struct Range {
  int first;
  int last;
  int size() const { return last - first; }
};
Range block(int i, int n, int size) {
  const int first = i * size / n;
  return {first, std::max(first + 1, (i + 1) * size / n)};
}

// 32 bits hold it: a block has at most 4096 * 4096 / 64 pixels.
std::uint8_t rounded_mean(std::uint32_t sum, std::uint32_t count) {
  return static_cast<std::uint8_t>((2 * sum + count) / (2 * count));
}

// Four 16-bit sums in one 64-bit word, as two sums of 32 bits.
std::uint64_t add_halves(const std::uint16_t* four) {
  constexpr std::uint64_t kEven = 0x0000FFFF0000FFFFULL;
  std::uint64_t word = 0;
  std::memcpy(&word, four, sizeof(word));
  return (word & kEven) + ((word >> 16) & kEven);
}

std::uint32_t add_up(const std::uint16_t* values, int count) {
  if (count == 8) {  // an output 128 wide: worth a way of its own
    const std::uint64_t halves = add_halves(values) + add_halves(values + 4);
    return static_cast<std::uint32_t>(halves + (halves >> 32));
  }
  std::uint32_t sum = 0;
  for (int i = 0; i < count; ++i) sum += values[i];
  return sum;
}

// One row of the signature from the sums of its columns.
void add_blocks(const std::uint16_t* column_sums, int width, std::uint32_t* block_sums) {
  for (int i = 0; i < kBlockColumns; ++i) {
    const Range columns = block(i, kBlockColumns, width);
    block_sums[i] += add_up(column_sums + columns.first, columns.size());
  }
}

// The sum of squared distances from the mean, over the count: exact in integers until the division.
float variance(std::int64_t sum, std::int64_t squares, std::int64_t count) {
  if (count == 0) return 0;
  const double mean = static_cast<double>(sum) / static_cast<double>(count);
  return static_cast<float>(
      std::max(0.0, static_cast<double>(squares) / static_cast<double>(count) - mean * mean));
}

}  // namespace

CropSummary summarize(const std::uint8_t* gray, int height, int width, const Kernels& kernels,
                      std::vector<std::uint16_t>& column_sums) {
  column_sums.resize(static_cast<std::size_t>(width) + kMargin);
  Sums sums;
  CropSummary summary;
  int done = 0;  // rows that are in `sums`; rows that two blocks share count once
  for (int i = 0; i < kBlockRows; ++i) {
    const Range rows = block(i, kBlockRows, height);
    std::uint32_t block_sums[kBlockColumns] = {};
    const int chunk = std::max(1, std::min(256, kBandPixels / width));
    for (int first = rows.first; first < rows.last; first += chunk) {
      std::fill(column_sums.begin(), column_sums.end(), std::uint16_t{0});
      const int last = std::min(rows.last, first + chunk);
      Sums band_sums;
      kernels.measure({gray, width, height, width, first, last}, column_sums.data(), &band_sums);
      add_blocks(column_sums.data(), width, block_sums);
      if (first < done) continue;
      done = last;
      sums.levels += band_sums.levels;
      sums.squares += band_sums.squares;
      sums.clipped += band_sums.clipped;
      sums.laplacian += band_sums.laplacian;
      sums.laplacian_squares += band_sums.laplacian_squares;
    }
    for (int j = 0; j < kBlockColumns; ++j) {
      const auto count = static_cast<std::uint32_t>(rows.size() * block(j, kBlockColumns, width).size());
      summary.signature[static_cast<std::size_t>(i * kBlockColumns + j)] = rounded_mean(block_sums[j], count);
    }
  }
  const std::int64_t pixels = std::int64_t{height} * width;
  const std::int64_t inner = std::int64_t{std::max(0, height - 2)} * std::max(0, width - 2);
  summary.sharpness = variance(sums.laplacian, sums.laplacian_squares, inner);
  summary.contrast = std::sqrt(variance(sums.levels, sums.squares, pixels));
  summary.clipped = static_cast<float>(static_cast<double>(sums.clipped) / static_cast<double>(pixels));
  return summary;
}

}  // namespace lprfast::image
