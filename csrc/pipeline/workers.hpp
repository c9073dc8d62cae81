// The worker threads of a reader and their scratch memory, fork included.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "image/prepare.hpp"

namespace lprfast::pipeline {

// What one batch needs; kept and used again so that steady reading allocates nothing large.
struct Scratch {
  image::Workspace workspace;
  std::vector<std::uint8_t> gray;
  std::vector<float> input;
  std::vector<float> output;
  std::vector<std::int64_t> output_shape;
};

// run() may be called from many threads at once, and in a child forked while no thread was in it.
class Workers {
 public:
  // Throws std::invalid_argument unless threads is 1 to 1024. Threads start with the first run.
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int threads() const { return threads_; }

  // Calls job(i, scratch) once for each i in [0, jobs); the first of what they threw is thrown here.
  void run(std::size_t jobs, const std::function<void(std::size_t, Scratch&)>& job) const;

 private:
  struct Process;
  Process& process() const;

  const int threads_;
  mutable std::atomic<Process*> process_{nullptr};
};

inline std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

// How many of `items` one job takes, `most` at most. Even shares: each worker gets the same number of equal
// batches, none waits for another's larger last one.
std::size_t batch_size(std::size_t items, int threads, std::size_t most);

}  // namespace lprfast::pipeline
