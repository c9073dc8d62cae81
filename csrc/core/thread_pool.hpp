// A small fixed pool of worker threads for batches of equal, independent jobs.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace lprfast {

// Processors this process may use: the smaller of its CPU affinity and its cgroup quota, 1 to 1024.
int usable_processors();

// run() may be called from many threads at once; the caller works too, so a pool of n has n - 1 threads and
// a pool of 1 has none. When the system refuses threads the pool works with fewer. Jobs must not throw.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Calls job(i) once for each i in [0, count) and returns when all are done.
  void run(std::size_t count, const std::function<void(std::size_t)>& job);

 private:
  struct Round;
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Round>> rounds_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lprfast
