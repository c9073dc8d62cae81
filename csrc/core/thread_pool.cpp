#include "core/thread_pool.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <string>
#include <system_error>

#if defined(__linux__)
#include <sched.h>
#endif

namespace lprfast {
namespace {

constexpr int kMostProcessors = 1024;  // the largest pool that a reader takes

int affinity_processors() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

// The group of this process in cgroup v2, as a path under the mount point; "" for the root or without v2.
std::string cgroup_path() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("0::/", 0) == 0) return line.size() > 4 ? line.substr(3) : "";
  }
  return "";
}

// Quota divided by period, rounded up; 0 when the group has no limit of its own.
int cgroup_limit(const std::string& path) {
  std::ifstream file("/sys/fs/cgroup" + path + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return static_cast<int>(std::ceil(std::atof(quota.c_str()) / period));
}

// The smallest quota of the process's group and of all above it, in processors; 0 when there is none. Reads
// cgroup v2, then v1.
int cgroup_processors() {
  int smallest = 0;
  for (std::string path = cgroup_path();; path.resize(path.rfind('/'))) {
    const int limit = cgroup_limit(path);
    if (limit > 0 && (smallest == 0 || limit < smallest)) smallest = limit;
    if (path.empty()) break;
  }
  if (smallest > 0) return smallest;
  double period = 0;
  std::ifstream v1_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream v1_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double limit = 0;
  if (v1_quota >> limit && v1_period >> period && limit > 0 && period > 0) {
    return static_cast<int>(std::ceil(limit / period));
  }
  return 0;
}

}  // namespace

int usable_processors() {
  const int affinity = std::max(1, affinity_processors());
  const int cgroup = cgroup_processors();
  return std::min(kMostProcessors, cgroup > 0 ? std::min(affinity, cgroup) : affinity);
}

// One call of run(): workers and the caller draw indices from it until none is left.
struct ThreadPool::Round {
  Round(std::size_t jobs, const std::function<void(std::size_t)>& function) : count(jobs), job(&function) {}

  void draw() {
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      (*job)(i);
      if (done.fetch_add(1) + 1 == count) {
        const std::lock_guard<std::mutex> lock(mutex);
        finished.notify_all();
      }
    }
  }

  void wait() {
    std::unique_lock<std::mutex> lock(mutex);
    finished.wait(lock, [this] { return done.load() == count; });
  }

  bool exhausted() const { return next.load() >= count; }

  const std::size_t count;
  const std::function<void(std::size_t)>* job;  // valid until the caller's wait() returns
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};
  std::mutex mutex;
  std::condition_variable finished;
};

ThreadPool::ThreadPool(int threads) {
  try {
    for (int i = 1; i < threads; ++i) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    // The system gives no more threads (or no memory for one): those that started, and the caller, do the
    // work.
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run(std::size_t count, const std::function<void(std::size_t)>& job) {
  if (count == 0) return;
  const auto round = std::make_shared<Round>(count, job);
  if (count > 1 && !threads_.empty()) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      rounds_.push_back(round);
    }
    wake_.notify_all();
  }
  round->draw();
  round->wait();
  if (count > 1 && !threads_.empty()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    rounds_.erase(std::remove(rounds_.begin(), rounds_.end(), round), rounds_.end());
  }
}

void ThreadPool::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !rounds_.empty(); });
    if (stopping_) return;
    const std::shared_ptr<Round> round = rounds_.front();
    if (round->exhausted()) {
      rounds_.pop_front();
      continue;
    }
    lock.unlock();
    round->draw();
    lock.lock();
  }
}

}  // namespace lprfast
