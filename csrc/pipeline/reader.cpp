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
#include "pipeline/two_line.hpp"

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

// Calls job(i) once for each i on the worker threads; the first of what they threw is thrown here.
void Reader::in_parallel(std::size_t jobs, const std::function<void(std::size_t)>& job) const {
  std::vector<std::exception_ptr> failures(jobs);
  process().pool.run(jobs, [&](std::size_t i) {
    try {
      job(i);
    } catch (...) {
      failures[i] = std::current_exception();
    }
  });
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

struct Reader::Input {
  const ImageView* view;
  image::CropSummary* summary;  // null: not wanted
};

void Reader::run_batch(const std::vector<Input>& inputs, std::size_t first, std::size_t last,
                       const Take& take) const {
  Process& owner = process();
  std::unique_ptr<Scratch> scratch = owner.take();
  const std::size_t count = last - first;
  const std::size_t pixels = static_cast<std::size_t>(spec_.prepare.height) * spec_.prepare.width;
  scratch->input.resize(count * pixels);
  for (std::size_t i = 0; i < count; ++i) {
    const Input& input = inputs[first + i];
    image::prepare(*input.view, spec_.color, spec_.prepare, best_isa(), scratch->workspace,
                   scratch->input.data() + i * pixels, input.summary);
  }
  session_->run(scratch->input.data(),
                {static_cast<std::int64_t>(count), 1, spec_.prepare.height, spec_.prepare.width},
                scratch->output, scratch->output_shape);
  const std::size_t scores = steps_ * spec_.classes;
  if (scratch->output.size() != count * scores) {
    throw ModelError("the model answers " + shape_text(scratch->output_shape) + " for a batch of " +
                     std::to_string(count));
  }
  for (std::size_t i = 0; i < count; ++i) take(first + i, scratch->output.data() + i * scores);
  owner.give_back(std::move(scratch));
}

void Reader::run_model(const std::vector<Input>& inputs, const Take& take) const {
  if (inputs.empty()) return;
  const std::size_t size = batch_size(inputs.size(), spec_);
  in_parallel(divide_up(inputs.size(), size), [&](std::size_t b) {
    run_batch(inputs, b * size, std::min(inputs.size(), (b + 1) * size), take);
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
void Reader::read_halves(const std::vector<Crop>& crops, int nbest, std::vector<Read>& reads) const {
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
    plate.halves = cut_halves(crops[plate.crop].view);
    plate.scores.resize(joined_steps(steps_) * spec_.classes);
    inputs[2 * i] = {&plate.halves.top, nullptr};
    inputs[2 * i + 1] = {&plate.halves.bottom, nullptr};
  }
  const LineJoin join{steps_, spec_.classes, spec_.decode.blank, spec_.decode.temperature};
  run_model(inputs, [&](std::size_t index, float* scores) {
    TwoLinePlate& plate = plates[index / 2];
    put_line(join, scores, static_cast<int>(index % 2), plate.scores.data());
    if (plate.arrived.fetch_add(1) == 0 || !both_lines_show_text(join, plate.scores.data())) return;
    decode_crop(plate.scores.data(), 2, nbest, reads[plate.crop]);
  });
}

std::vector<Read> Reader::read(const std::vector<Crop>& crops, int nbest) const {
  std::vector<Read> reads(crops.size());
  std::vector<std::size_t> usable;
  std::vector<Input> inputs;
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
    inputs.push_back({&crops[i].view, &reads[i].summary});
  }
  run_model(inputs,
            [&](std::size_t index, float* scores) { decode_crop(scores, 1, nbest, reads[usable[index]]); });
  if (spec_.two_line) read_halves(crops, nbest, reads);
  for (Read& read : reads) settle(spec_.decode, read);
  return reads;
}

}  // namespace lprfast::pipeline
