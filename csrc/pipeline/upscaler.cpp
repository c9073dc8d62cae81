#include "pipeline/upscaler.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <utility>

#include "core/error.hpp"
#include "image/gray.hpp"
#include "ort/model_info.hpp"
#include "pipeline/pixels.hpp"

namespace lprfast::pipeline {
namespace {

using ort::shape_text;

// Crops are padded to multiples of these, so that crops of about the same size share a run of the model and
// the shapes that ONNX Runtime plans for stay few.
constexpr std::int64_t kHeightStep = 8;
constexpr std::int64_t kWidthStep = 16;

// Of one run before enlarging, all its crops together: bounds what a model's layers hold.
constexpr std::int64_t kBatchPixels = 64 * 1024;
constexpr std::int64_t kLargestSide = 16384;

std::int64_t round_up(std::int64_t value, std::int64_t step) { return (value + step - 1) / step * step; }

void check(const UpscalerSpec& spec) {
  if (spec.scale != 2 && spec.scale != 4 && spec.scale != 8) {
    throw std::invalid_argument("scale: expected 2, 4 or 8, got " + std::to_string(spec.scale));
  }
  if (spec.channels != 1 && spec.channels != 3) {
    throw std::invalid_argument("channels: expected 1 or 3, got " + std::to_string(spec.channels));
  }
  if (spec.batch < 1 || spec.batch > 1024) {
    throw std::invalid_argument("batch: expected 1 to 1024, got " + std::to_string(spec.batch));
  }
  if (spec.patches.size % kHeightStep != 0 || spec.patches.size % kWidthStep != 0) {
    throw std::invalid_argument("patch: expected a multiple of 16, got " + std::to_string(spec.patches.size));
  }
  patch_axis(spec.patches.size, spec.scale, spec.patches);
}

std::string too_large(const ImageView& crop, int scale) {
  return "enlarged " + std::to_string(scale) + " times, " + std::to_string(crop.width) + " x " +
         std::to_string(crop.height) + " pixels are more than " + std::to_string(kLargestSide) + " a side";
}

const char* const kNotFinite = "the super-resolution model answered NaN or infinity for this crop";

}  // namespace

// Crops of one padded size, or a single one that is run in patches.
struct Upscaler::Job {
  std::vector<std::size_t> crops;  // their indices
  std::int64_t height = 0;         // padded
  std::int64_t width = 0;
  bool large = false;
};

ImageView Upscaled::view() const {
  ImageView found;
  found.data = pixels.data();
  found.height = height;
  found.width = width;
  found.channels = channels;
  found.row_stride = width * channels;
  found.column_stride = channels;
  found.channel_stride = 1;
  return found;
}

Upscaler::Upscaler(std::shared_ptr<const ort::Session> session, const UpscalerSpec& spec)
    : session_(std::move(session)), spec_(spec), workers_(std::make_shared<Workers>(spec.threads)) {
  check(spec_);
  const std::vector<std::int64_t> expected{-1, spec_.channels, -1, -1};
  const std::vector<std::int64_t>& declared = session_->inputs().at(0).shape;
  const bool any_channels = declared.size() == 4 && declared[1] == -1;
  if (!any_channels && declared != expected) {
    throw ModelError("the metadata says the input is " + shape_text(expected) +
                     " (-1: any number), the model takes " + shape_text(declared));
  }
  // Runs on empty crops prove the scale, and that the number and the size of crops are free; they warm the
  // session up.
  for (const std::int64_t count : {1, 2}) {
    Scratch scratch;
    const std::int64_t height = count * kHeightStep, width = (count + 1) * kWidthStep;
    scratch.input.assign(static_cast<std::size_t>(count * spec_.channels * height * width), 0.0F);
    run_model(scratch, count, height, width);
  }
}

void Upscaler::run_model(Scratch& scratch, std::int64_t count, std::int64_t height,
                         std::int64_t width) const {
  const std::vector<std::int64_t> input{count, spec_.channels, height, width};
  const std::vector<std::int64_t> expected{count, spec_.channels, height * spec_.scale, width * spec_.scale};
  session_->run(scratch.input.data(), input, scratch.output, scratch.output_shape);
  if (scratch.output_shape == expected) return;
  throw ModelError("the metadata says scale " + std::to_string(spec_.scale) + ", so " + shape_text(input) +
                   " should give " + shape_text(expected) + "; the model answers " +
                   shape_text(scratch.output_shape));
}

// Writes [channels, height, width] in 0-1: the crop, its last row and column repeated beyond it.
void Upscaler::fill(const ImageView& crop, std::int64_t height, std::int64_t width, Scratch& scratch,
                    float* planes) const {
  if (spec_.channels == 1) {
    const auto size = static_cast<std::size_t>(crop.height * crop.width) + image::kMargin;
    if (scratch.gray.size() < size) scratch.gray.resize(size);
    image::to_gray(crop, spec_.color, image::kernels_for(best_isa()), scratch.gray.data());
    fill_plane({scratch.gray.data(), crop.height, crop.width, crop.width, 1}, height, width, planes);
    return;
  }
  for (int c = 0; c < 3; ++c) {
    const int from = crop.channels == 1 ? 0 : spec_.color == image::Color::rgb ? c : 2 - c;
    fill_plane({crop.data + from * crop.channel_stride, crop.height, crop.width, crop.row_stride,
                crop.column_stride},
               height, width, planes + c * height * width);
  }
}

void Upscaler::run_batch(const Job& job, const std::vector<const Crop*>& crops, Scratch& scratch,
                         std::vector<Upscaled>& answers) const {
  const std::int64_t pixels = spec_.channels * job.height * job.width;
  const auto count = static_cast<std::int64_t>(job.crops.size());
  scratch.input.resize(static_cast<std::size_t>(count * pixels));
  for (std::int64_t i = 0; i < count; ++i) {
    const Crop& crop = *crops[job.crops[static_cast<std::size_t>(i)]];
    fill(crop.view, job.height, job.width, scratch, scratch.input.data() + i * pixels);
  }
  run_model(scratch, count, job.height, job.width);
  const bool bgr = spec_.color == image::Color::bgr;
  const std::int64_t width = job.width * spec_.scale;
  const float* planes = scratch.output.data();
  for (const std::size_t index : job.crops) {
    Upscaled& answer = answers[index];
    const FloatRows rows{planes, width, width * job.height * spec_.scale, spec_.channels, bgr};
    bool finite = true;
    for (std::int64_t y = 0; y < answer.height; ++y) finite &= put_row(rows, y, answer.width, answer.pixels);
    if (!finite) answer = Upscaled{kNotFinite, {}, 0, 0, spec_.channels};
    planes += pixels * spec_.scale * spec_.scale;
  }
}

// In patches of the padded crop, so that its lower and right edge is what it is in a single run.
void Upscaler::run_large(const Job& job, const ImageView& crop, Scratch& scratch, Upscaled& answer) const {
  const RunPatch run = [&](const Patch& patch) {
    ImageView part = crop;
    part.data += patch.top * crop.row_stride + patch.left * crop.column_stride;
    part.height = std::min(patch.height, crop.height - patch.top);
    part.width = std::min(patch.width, crop.width - patch.left);
    scratch.input.resize(static_cast<std::size_t>(spec_.channels * patch.height * patch.width));
    fill(part, patch.height, patch.width, scratch, scratch.input.data());
    run_model(scratch, 1, patch.height, patch.width);
    return scratch.output.data();
  };
  const bool bgr = spec_.color == image::Color::bgr;
  const std::int64_t width = job.width * spec_.scale;
  bool finite = true;
  run_in_patches({job.height, job.width, spec_.channels}, spec_.scale, spec_.patches, run,
                 [&](std::int64_t y, const float* row) {
                   if (y >= answer.height) return;
                   const FloatRows rows{row - y * width, width, width, spec_.channels, bgr};
                   finite &= put_row(rows, y, answer.width, answer.pixels);
                 });
  if (!finite) answer = Upscaled{kNotFinite, {}, 0, 0, spec_.channels};
}

// Also gives each answer its size, and the reason where there will be none.
std::vector<Upscaler::Job> Upscaler::plan(const std::vector<const Crop*>& crops,
                                          std::vector<Upscaled>& answers) const {
  std::vector<Job> jobs;
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::size_t>> buckets;
  for (std::size_t i = 0; i < crops.size(); ++i) {
    if (crops[i] == nullptr) continue;
    Upscaled& answer = answers[i];
    answer.channels = spec_.channels;
    answer.error = crops[i]->error;
    if (!answer.error.empty()) continue;
    const ImageView& view = crops[i]->view;
    if (std::max(view.height, view.width) * spec_.scale > kLargestSide) {
      answer.error = too_large(view, spec_.scale);
      continue;
    }
    answer.height = view.height * spec_.scale;
    answer.width = view.width * spec_.scale;
    answer.pixels.resize(static_cast<std::size_t>(answer.height * answer.width * answer.channels));
    const std::int64_t height = round_up(view.height, kHeightStep), width = round_up(view.width, kWidthStep);
    if (height * width > 2 * spec_.patches.size * spec_.patches.size) {
      jobs.push_back({{i}, height, width, true});
    } else {
      buckets[{height, width}].push_back(i);
    }
  }
  for (const auto& [size, members] : buckets) {
    const std::int64_t fit = std::max<std::int64_t>(1, kBatchPixels / (size.first * size.second));
    const auto most = static_cast<std::size_t>(std::min<std::int64_t>(fit, spec_.batch));
    const std::size_t step = batch_size(members.size(), spec_.threads, most);
    for (std::size_t first = 0; first < members.size(); first += step) {
      const auto from = members.begin() + static_cast<std::ptrdiff_t>(first);
      const auto to = members.begin() + static_cast<std::ptrdiff_t>(std::min(first + step, members.size()));
      jobs.push_back({{from, to}, size.first, size.second, false});
    }
  }
  return jobs;
}

std::vector<Upscaled> Upscaler::upscale(const std::vector<const Crop*>& crops) const {
  std::vector<Upscaled> answers(crops.size());
  const std::vector<Job> jobs = plan(crops, answers);
  if (jobs.empty()) return answers;
  workers_->run(jobs.size(), [&](std::size_t j, Scratch& scratch) {
    const Job& job = jobs[j];
    try {
      if (job.large) {
        run_large(job, crops[job.crops[0]]->view, scratch, answers[job.crops[0]]);
      } else {
        run_batch(job, crops, scratch, answers);
      }
    } catch (const ModelError& error) {  // a shape that the runs at the opening did not show
      const std::string reason = std::string("super-resolution: ") + error.what();
      for (const std::size_t index : job.crops) answers[index] = Upscaled{reason, {}, 0, 0, spec_.channels};
    }
  });
  return answers;
}

}  // namespace lprfast::pipeline
