#include "pipeline/reader.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "ort/model_info.hpp"
#include "pipeline/two_line.hpp"

namespace lprfast::pipeline {
namespace {

using ort::shape_text;

// Under this size no character has a pixel of its own: said without asking the model.
constexpr std::int64_t kSmallestWidth = 8;
constexpr std::int64_t kSmallestHeight = 4;

// Pixels of enlarged crops held at a time, at most; a single crop may have more.
constexpr std::int64_t kEnlargedBytes = 64 << 20;

void check_spec(const ReaderSpec& spec) {
  image::check(spec.prepare);
  check(spec.decode.calibration);
  if (spec.batch < 1 || spec.batch > 1024) {
    throw std::invalid_argument("batch: expected 1 to 1024, got " + std::to_string(spec.batch));
  }
  if (!(spec.decode.min_confidence >= 0 && spec.decode.min_confidence <= 1)) {
    throw std::invalid_argument("min_confidence: expected 0 to 1, got " +
                                std::to_string(spec.decode.min_confidence));
  }
}

// Logits taken for log-posteriors would give confidences that mean nothing.
void check_output(ScoresView scores, bool logits) {
  try {
    ctc::check_scores(scores, logits, 0);
  } catch (const std::invalid_argument& error) {
    throw ModelError(std::string("metadata key 'output': the model's answer to an empty crop is not ") +
                     (logits ? "logits: " : "log_posteriors: ") + error.what());
  }
}

bool too_small(const ImageView& crop) { return crop.width < kSmallestWidth || crop.height < kSmallestHeight; }

const ImageView& seen(const Crop& crop) { return crop.enlarged.data != nullptr ? crop.enlarged : crop.view; }

}  // namespace

Reader::Reader(std::shared_ptr<const ort::Session> session, const ReaderSpec& spec)
    : session_(std::move(session)),
      spec_(spec),
      workers_(spec.upscaler ? spec.upscaler->workers() : std::make_shared<Workers>(spec.threads)) {
  check_spec(spec_);
  check_model();
}

void Reader::check_model() {
  const auto& prepare = spec_.prepare;
  const std::vector<std::int64_t> expected{-1, 1, prepare.height, prepare.width};
  const std::vector<std::int64_t>& declared = session_->inputs().at(0).shape;
  bool fits = declared.size() == expected.size() && declared[0] == -1;
  for (std::size_t i = 1; fits && i < expected.size(); ++i) {
    fits = declared[i] == -1 || declared[i] == expected[i];
  }
  if (!fits) {
    throw ModelError("the metadata says the input is " + shape_text(expected) +
                     " (-1: any number of crops), " + "the model takes " + shape_text(declared));
  }
  // One run on an empty crop: tells T, proves K, and warms the session up.
  Scratch scratch;
  scratch.input.assign(static_cast<std::size_t>(prepare.height) * prepare.width, 0.0F);
  session_->run(scratch.input.data(), {1, 1, prepare.height, prepare.width}, scratch.output,
                scratch.output_shape);
  const auto& shape = scratch.output_shape;
  if (shape.size() != 3 || shape[0] != 1 || shape[2] != static_cast<std::int64_t>(spec_.classes)) {
    throw ModelError("the metadata has " + std::to_string(spec_.classes) +
                     " classes (charset and blank), so one crop should give [1, T, " +
                     std::to_string(spec_.classes) + "]; the model answers " + shape_text(shape));
  }
  if (shape[1] < 1) throw ModelError("the model answers no time steps: " + shape_text(shape));
  steps_ = static_cast<std::size_t>(shape[1]);
  check_output(ScoresView{scratch.output.data(), steps_, spec_.classes}, spec_.decode.logits);
}

struct Reader::Input {
  const ImageView* view;
  image::CropSummary* summary;  // null: not wanted
  const ImageView* original;    // null, or what the summary is of
};

void Reader::run_batch(const std::vector<Input>& inputs, std::size_t first, std::size_t last,
                       const Take& take, Scratch& scratch) const {
  const std::size_t count = last - first;
  const std::size_t pixels = static_cast<std::size_t>(spec_.prepare.height) * spec_.prepare.width;
  scratch.input.resize(count * pixels);
  const auto prepare = [&](const ImageView& view, float* out, image::CropSummary* summary) {
    image::prepare(view, spec_.color, spec_.prepare, best_isa(), scratch.workspace, out, summary);
  };
  for (std::size_t i = 0; i < count; ++i) {
    const Input& input = inputs[first + i];
    float* out = scratch.input.data() + i * pixels;
    if (input.original != nullptr) prepare(*input.original, out, input.summary);
    prepare(*input.view, out, input.original == nullptr ? input.summary : nullptr);
  }
  session_->run(scratch.input.data(),
                {static_cast<std::int64_t>(count), 1, spec_.prepare.height, spec_.prepare.width},
                scratch.output, scratch.output_shape);
  const std::size_t scores = steps_ * spec_.classes;
  if (scratch.output.size() != count * scores) {
    throw ModelError("the model answers " + shape_text(scratch.output_shape) + " for a batch of " +
                     std::to_string(count));
  }
  for (std::size_t i = 0; i < count; ++i) take(first + i, scratch.output.data() + i * scores);
}

void Reader::run_model(const std::vector<Input>& inputs, const Take& take) const {
  if (inputs.empty()) return;
  const std::size_t size =
      batch_size(inputs.size(), workers_->threads(), static_cast<std::size_t>(spec_.batch));
  workers_->run(divide_up(inputs.size(), size), [&](std::size_t b, Scratch& scratch) {
    run_batch(inputs, b * size, std::min(inputs.size(), (b + 1) * size), take, scratch);
  });
}

void Reader::decode_crop(float* scores, int lines, int nbest, Read& read) const {
  DecodeSpec spec = spec_.decode;
  spec.nbest = nbest;
  decode(scores, lines == 2 ? joined_steps(steps_) : steps_, spec_.classes, spec, read);
  read.lines = read.status == Status::ok ? lines : 0;
}

struct Reader::TwoLinePlate {
  std::size_t crop = 0;  // its index
  Halves halves;
  std::vector<float> scores;    // of both lines, joined
  std::atomic<int> arrived{0};  // halves that the model has answered: the second one decodes
};

// A plate of which only one half shows a text stays no_plate: one line of two is a wrong text.
void Reader::read_halves(const std::vector<Crop>& crops, int nbest, Read* reads) const {
  std::vector<std::size_t> empty;
  for (std::size_t i = 0; i < crops.size(); ++i) {
    if (reads[i].status == Status::no_plate && may_have_two_lines(crops[i].view)) empty.push_back(i);
  }
  if (empty.empty()) return;
  std::vector<TwoLinePlate> plates(empty.size());
  std::vector<Input> inputs(2 * empty.size());
  for (std::size_t i = 0; i < plates.size(); ++i) {
    TwoLinePlate& plate = plates[i];
    plate.crop = empty[i];
    plate.halves = cut_halves(seen(crops[plate.crop]));
    plate.scores.resize(joined_steps(steps_) * spec_.classes);
    inputs[2 * i] = {&plate.halves.top, nullptr, nullptr};
    inputs[2 * i + 1] = {&plate.halves.bottom, nullptr, nullptr};
  }
  const LineJoin join{steps_, spec_.classes, spec_.decode.blank, spec_.decode.temperature};
  run_model(inputs, [&](std::size_t index, float* scores) {
    TwoLinePlate& plate = plates[index / 2];
    put_line(join, scores, static_cast<int>(index % 2), plate.scores.data());
    if (plate.arrived.fetch_add(1) == 0 || !both_lines_show_text(join, plate.scores.data())) return;
    decode_crop(plate.scores.data(), 2, nbest, reads[plate.crop]);
  });
}

void Reader::read_chunk(const std::vector<Crop>& crops, int nbest, Read* reads) const {
  std::vector<std::size_t> usable;
  std::vector<Input> inputs;
  for (std::size_t i = 0; i < crops.size(); ++i) {
    const Crop& crop = crops[i];
    reads[i].error = crop.error;
    if (!crop.error.empty()) continue;
    reads[i].width = crop.view.width;
    reads[i].height = crop.view.height;
    if (too_small(crop.view)) {
      reads[i].status = Status::unreadable;
      continue;
    }
    const bool enlarged = crop.enlarged.data != nullptr;
    if (enlarged) {
      const double factor = static_cast<double>(crop.enlarged.width) / static_cast<double>(crop.view.width);
      reads[i].upscaled = std::max(1, static_cast<int>(std::lround(factor)));
    }
    usable.push_back(i);
    inputs.push_back({&seen(crop), &reads[i].summary, enlarged ? &crop.view : nullptr});
  }
  run_model(inputs,
            [&](std::size_t index, float* scores) { decode_crop(scores, 1, nbest, reads[usable[index]]); });
  if (spec_.two_line) read_halves(crops, nbest, reads);
  for (std::size_t i = 0; i < crops.size(); ++i) settle(spec_.decode, reads[i]);
}

// Enlarges the narrow crops; the answer holds their pixels.
std::vector<Upscaled> Reader::upscale(std::vector<Crop>& crops) const {
  std::vector<const Crop*> narrow(crops.size(), nullptr);
  for (std::size_t i = 0; i < crops.size(); ++i) {
    const Crop& crop = crops[i];
    const bool wanted = crop.error.empty() && crop.enlarged.data == nullptr && !too_small(crop.view) &&
                        crop.view.width < spec_.upscale_below;
    if (wanted) narrow[i] = &crop;
  }
  std::vector<Upscaled> answers = spec_.upscaler->upscale(narrow);
  for (std::size_t i = 0; i < crops.size(); ++i) {
    if (narrow[i] == nullptr) continue;
    crops[i].error = answers[i].error;
    if (crops[i].error.empty()) crops[i].enlarged = answers[i].view();
  }
  return answers;
}

// Enlarged crops are large, so not all of a long list are held at once.
std::size_t Reader::chunk_end(const std::vector<Crop>& crops, std::size_t first) const {
  if (!spec_.upscaler) return crops.size();
  const auto& upscaler = spec_.upscaler->spec();
  std::int64_t bytes = 0;
  std::size_t end = first;
  do {
    const ImageView& view = crops[end++].view;
    if (view.width < spec_.upscale_below) {
      bytes += view.height * view.width * upscaler.scale * upscaler.scale * upscaler.channels;
    }
  } while (end < crops.size() && bytes < kEnlargedBytes);
  return end;
}

std::vector<Read> Reader::read(const std::vector<Crop>& crops, int nbest) const {
  std::vector<Read> reads(crops.size());
  if (!spec_.upscaler) {
    read_chunk(crops, nbest, reads.data());
    return reads;
  }
  for (std::size_t first = 0, last = 0; first < crops.size(); first = last) {
    last = chunk_end(crops, first);
    std::vector<Crop> chunk(crops.begin() + static_cast<std::ptrdiff_t>(first),
                            crops.begin() + static_cast<std::ptrdiff_t>(last));
    const std::vector<Upscaled> pixels = upscale(chunk);
    read_chunk(chunk, nbest, reads.data() + first);
  }
  return reads;
}

}  // namespace lprfast::pipeline
