#include "pipeline/reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "core/thread_pool.hpp"

namespace lprfast::pipeline {
namespace {

// Under this size no character has a pixel of its own: said without asking the model.
constexpr std::int64_t kSmallestWidth = 8;
constexpr std::int64_t kSmallestHeight = 4;

// What one batch needs; kept and used again so that steady reading allocates nothing large.
struct Scratch {
  image::Workspace workspace;
  std::vector<float> input;
  std::vector<float> output;
  std::vector<std::int64_t> output_shape;
};

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

// Even shares: each worker gets the same number of equal batches, none waits for another's larger last one.
std::size_t batch_size(std::size_t crops, const ReaderSpec& spec) {
  const std::size_t share =
      std::max<std::size_t>(1, divide_up(crops, static_cast<std::size_t>(spec.threads)));
  return divide_up(share, divide_up(share, static_cast<std::size_t>(spec.batch)));
}

void check_spec(const ReaderSpec& spec) {
  image::check(spec.prepare);
  check(spec.decode.calibration);
  if (spec.threads < 1 || spec.threads > 1024) {
    throw std::invalid_argument("threads: expected 1 to 1024, got " + std::to_string(spec.threads));
  }
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

}  // namespace

// Threads and scratch of one process. After a fork the parent's are left alone (their threads do not exist in
// the child, their locks may be held) and the child makes its own.
struct Reader::Process {
  explicit Process(int threads) : pid(getpid()), pool(threads) {}

  std::unique_ptr<Scratch> take() {
    const std::lock_guard<std::mutex> lock(mutex);
    if (spare.empty()) return std::make_unique<Scratch>();
    std::unique_ptr<Scratch> scratch = std::move(spare.back());
    spare.pop_back();
    return scratch;
  }

  void give_back(std::unique_ptr<Scratch> scratch) {
    const std::lock_guard<std::mutex> lock(mutex);
    spare.push_back(std::move(scratch));
  }

  const pid_t pid;
  ThreadPool pool;
  std::mutex mutex;
  std::vector<std::unique_ptr<Scratch>> spare;
};

Reader::Reader(std::shared_ptr<const ort::Session> session, const ReaderSpec& spec)
    : session_(std::move(session)), spec_(spec) {
  check_spec(spec_);
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

Reader::~Reader() {
  Process* process = process_.load();
  if (process != nullptr && process->pid == getpid()) delete process;
}

Reader::Process& Reader::process() const {
  Process* current = process_.load();
  while (current == nullptr || current->pid != getpid()) {
    auto fresh = std::make_unique<Process>(spec_.threads);
    if (process_.compare_exchange_strong(current, fresh.get())) return *fresh.release();
  }
  return *current;
}

void Reader::read_batch(const std::vector<Crop>& crops, const std::vector<std::size_t>& indices, int nbest,
                        std::vector<Read>& reads) const {
  Process& owner = process();
  std::unique_ptr<Scratch> scratch = owner.take();
  const std::size_t pixels = static_cast<std::size_t>(spec_.prepare.height) * spec_.prepare.width;
  scratch->input.resize(indices.size() * pixels);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    image::prepare(crops[indices[i]].view, spec_.color, spec_.prepare, best_isa(), scratch->workspace,
                   scratch->input.data() + i * pixels, &reads[indices[i]].summary);
  }
  session_->run(scratch->input.data(),
                {static_cast<std::int64_t>(indices.size()), 1, spec_.prepare.height, spec_.prepare.width},
                scratch->output, scratch->output_shape);
  const std::size_t scores = steps_ * spec_.classes;
  if (scratch->output.size() != indices.size() * scores) {
    throw ModelError("the model answers " + shape_text(scratch->output_shape) + " for a batch of " +
                     std::to_string(indices.size()));
  }
  DecodeSpec decode_spec = spec_.decode;
  decode_spec.nbest = nbest;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    decode(scratch->output.data() + i * scores, steps_, spec_.classes, decode_spec, reads[indices[i]]);
  }
  owner.give_back(std::move(scratch));
}

std::vector<Read> Reader::read(const std::vector<Crop>& crops, int nbest) const {
  std::vector<Read> reads(crops.size());
  std::vector<std::size_t> usable;
  for (std::size_t i = 0; i < crops.size(); ++i) {
    reads[i].error = crops[i].error;
    if (!crops[i].error.empty()) continue;
    reads[i].width = crops[i].view.width;
    reads[i].height = crops[i].view.height;
    if (reads[i].width < kSmallestWidth || reads[i].height < kSmallestHeight) {
      reads[i].status = Status::unreadable;
      continue;
    }
    usable.push_back(i);
  }
  if (usable.empty()) return reads;
  const std::size_t size = batch_size(usable.size(), spec_);
  const std::size_t batches = (usable.size() + size - 1) / size;
  std::vector<std::exception_ptr> failures(batches);
  process().pool.run(batches, [&](std::size_t b) {
    try {
      const auto first = usable.begin() + static_cast<std::ptrdiff_t>(b * size);
      const auto last = usable.begin() + static_cast<std::ptrdiff_t>(std::min(usable.size(), (b + 1) * size));
      read_batch(crops, {first, last}, nbest, reads);
    } catch (...) {
      failures[b] = std::current_exception();
    }
  });
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  for (Read& read : reads) settle(spec_.decode, read);
  return reads;
}

}  // namespace lprfast::pipeline
