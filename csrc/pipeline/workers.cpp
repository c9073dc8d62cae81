#include "pipeline/workers.hpp"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/thread_pool.hpp"

namespace lprfast::pipeline {

// Threads and scratch of one process. After a fork the parent's are left alone (their threads do not exist in
// the child, their locks may be held) and the child makes its own.
struct Workers::Process {
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

Workers::Workers(int threads) : threads_(threads) {
  if (threads < 1 || threads > 1024) {
    throw std::invalid_argument("threads: expected 1 to 1024, got " + std::to_string(threads));
  }
}

Workers::~Workers() {
  Process* process = process_.load();
  if (process != nullptr && process->pid == getpid()) delete process;
}

Workers::Process& Workers::process() const {
  Process* current = process_.load();
  while (current == nullptr || current->pid != getpid()) {
    auto fresh = std::make_unique<Process>(threads_);
    if (process_.compare_exchange_strong(current, fresh.get())) return *fresh.release();
  }
  return *current;
}

void Workers::run(std::size_t jobs, const std::function<void(std::size_t, Scratch&)>& job) const {
  Process& owner = process();
  std::vector<std::exception_ptr> failures(jobs);
  owner.pool.run(jobs, [&](std::size_t i) {
    try {
      std::unique_ptr<Scratch> scratch = owner.take();
      job(i, *scratch);
      owner.give_back(std::move(scratch));
    } catch (...) {
      failures[i] = std::current_exception();
    }
  });
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

std::size_t batch_size(std::size_t items, int threads, std::size_t most) {
  const std::size_t share = std::max<std::size_t>(1, divide_up(items, static_cast<std::size_t>(threads)));
  return divide_up(share, divide_up(share, most));
}

}  // namespace lprfast::pipeline
