// Work without the GIL.
#pragma once

#include <cxxabi.h>
#include <pybind11/pybind11.h>

#include <chrono>
#include <thread>

namespace lprfast::bindings {

// Releases the GIL for as long as it lives. Unlike pybind11's own it survives the end of the interpreter: a
// daemon thread that comes back then is ended by Python (before 3.14 by pthread_exit, which unwinds and would
// meet a destructor that must not throw, and so abort the process). It is parked instead, as 3.14 does.
class GilRelease {
 public:
  GilRelease() : state_(PyEval_SaveThread()) {}
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

  ~GilRelease() {
    try {
      PyEval_RestoreThread(state_);
    } catch (abi::__forced_unwind&) {
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
  }

 private:
  PyThreadState* state_;
};

}  // namespace lprfast::bindings
