#include <atomic>
#include <thread>
#include <vector>

#include "check.hpp"
#include "core/thread_pool.hpp"

namespace {

void every_index_runs_once(int threads, std::size_t count) {
  lprfast::ThreadPool pool(threads);
  std::vector<int> seen(count, 0);
  pool.run(count, [&](std::size_t i) { ++seen[i]; });
  for (const int times : seen) CHECK(times == 1);
}

// Rounds of many callers share the workers; each caller sees the end of its own round only.
void many_callers_at_once() {
  lprfast::ThreadPool pool(3);
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 8; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        std::vector<int> values(17, 0);
        pool.run(values.size(), [&](std::size_t i) { values[i] = static_cast<int>(i) + round; });
        for (std::size_t i = 0; i < values.size(); ++i) {
          if (values[i] != static_cast<int>(i) + round) ++wrong;
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
}

}  // namespace

int main() {
  for (const int threads : {1, 2, 5}) {
    for (const std::size_t count : {0, 1, 2, 100}) every_index_runs_once(threads, count);
  }
  many_callers_at_once();
  CHECK(lprfast::usable_processors() >= 1);
  return lprfast::testing::failures() != 0;
}
