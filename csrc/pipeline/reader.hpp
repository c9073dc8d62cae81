// Crops to reads: prepared, batched over worker threads, run in one shared session, decoded; in input order.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "image/prepare.hpp"
#include "ort/session.hpp"
#include "pipeline/decode.hpp"
#include "pipeline/read.hpp"

namespace lprfast::pipeline {

struct ReaderSpec {
  image::PrepareSpec prepare;
  image::Color color = image::Color::bgr;
  std::size_t classes = 0;  // with the blank
  DecodeSpec decode;
  int threads = 1;
  int batch = 16;         // crops in one run of the model, at most
  bool two_line = false;  // a low crop that reads empty is read again as two halves, see two_line.hpp
};

// read() may be called from many threads at once, and in a child forked while no thread was reading (ONNX
// Runtime's own locks do not survive a fork in the middle of a run).
class Reader {
 public:
  // Throws std::invalid_argument (spec) or ModelError (the model does not take or answer what the spec says).
  Reader(std::shared_ptr<const ort::Session> session, const ReaderSpec& spec);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // One Read per crop. Throws OrtError when the model cannot be run; never for what is in a crop.
  std::vector<Read> read(const std::vector<Crop>& crops, int nbest) const;

  std::size_t steps() const { return steps_; }

 private:
  struct Process;
  struct Input;
  struct TwoLinePlate;
  using Take = std::function<void(std::size_t, float*)>;  // index of the input, its scores to be written over

  Process& process() const;
  void in_parallel(std::size_t jobs, const std::function<void(std::size_t)>& job) const;
  void run_batch(const std::vector<Input>& inputs, std::size_t first, std::size_t last,
                 const Take& take) const;
  void run_model(const std::vector<Input>& inputs, const Take& take) const;
  void decode_crop(float* scores, int lines, int nbest, Read& read) const;
  void read_halves(const std::vector<Crop>& crops, int nbest, std::vector<Read>& reads) const;

  std::shared_ptr<const ort::Session> session_;
  ReaderSpec spec_;
  std::size_t steps_ = 0;
  mutable std::atomic<Process*> process_{nullptr};
};

}  // namespace lprfast::pipeline
