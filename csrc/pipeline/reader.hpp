// Crops to reads: prepared, batched over worker threads, run in one shared session, decoded; in input order.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "image/prepare.hpp"
#include "ort/session.hpp"
#include "pipeline/decode.hpp"
#include "pipeline/read.hpp"
#include "pipeline/upscaler.hpp"
#include "pipeline/workers.hpp"

namespace lprfast::pipeline {

struct ReaderSpec {
  image::PrepareSpec prepare;
  image::Color color = image::Color::bgr;
  std::size_t classes = 0;  // with the blank
  DecodeSpec decode;
  int threads = 1;
  int batch = 16;         // crops in one run of the model, at most
  bool two_line = false;  // a low crop that reads empty is read again as two halves, see two_line.hpp
  std::shared_ptr<const Upscaler> upscaler;  // or null; the reader then works on its threads
  int upscale_below = 0;                     // narrower crops go through it first, pixels
};

// read() may be called from many threads at once, and in a child forked while no thread was reading (ONNX
// Runtime's own locks do not survive a fork in the middle of a run).
class Reader {
 public:
  // Throws std::invalid_argument (spec) or ModelError (the model does not take or answer what the spec says).
  Reader(std::shared_ptr<const ort::Session> session, const ReaderSpec& spec);

  // One Read per crop. Size, quality and calibration are those of the crop itself, enlarged or not. Throws
  // OrtError when the model cannot be run; never for what is in a crop.
  std::vector<Read> read(const std::vector<Crop>& crops, int nbest) const;

  std::size_t steps() const { return steps_; }

 private:
  struct Input;
  struct TwoLinePlate;
  using Take = std::function<void(std::size_t, float*)>;  // index of the input, its scores to be written over

  void check_model();
  std::size_t chunk_end(const std::vector<Crop>& crops, std::size_t first) const;
  std::vector<Upscaled> upscale(std::vector<Crop>& crops) const;
  void read_chunk(const std::vector<Crop>& crops, int nbest, Read* reads) const;
  void run_batch(const std::vector<Input>& inputs, std::size_t first, std::size_t last, const Take& take,
                 Scratch& scratch) const;
  void run_model(const std::vector<Input>& inputs, const Take& take) const;
  void decode_crop(float* scores, int lines, int nbest, Read& read) const;
  void read_halves(const std::vector<Crop>& crops, int nbest, Read* reads) const;

  std::shared_ptr<const ort::Session> session_;
  ReaderSpec spec_;
  std::shared_ptr<const Workers> workers_;
  std::size_t steps_ = 0;
};

}  // namespace lprfast::pipeline
