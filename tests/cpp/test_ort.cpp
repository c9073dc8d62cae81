// Loading ONNX Runtime and running a model; made for the sanitizers.
//   test_ort [path of ONNX Runtime's library]
// Without a path only what needs no library is tested. Nothing is suppressed for AddressSanitizer,
// LeakSanitizer or UBSan; ThreadSanitizer sees no code of ONNX Runtime itself, which is not instrumented.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "check.hpp"
#include "core/error.hpp"
#include "ort/library.hpp"
#include "ort/session.hpp"
#include "tiny_model.hpp"

namespace {

using namespace lprfast;
namespace abi = lprfast::ort::abi;
using lprfast::testing::tiny_model;

using Shape = std::vector<std::int64_t>;

// ---- a table that is not ONNX Runtime's

constexpr std::size_t kTableSize = 300;
char status_memory;

void do_nothing() {}
abi::Status* make_status(int, const char*) { return reinterpret_cast<abi::Status*>(&status_memory); }
abi::Status* make_no_status(int, const char*) { return nullptr; }
int right_code(const abi::Status*) { return 9; }
int wrong_code(const abi::Status*) { return 8; }
const char* wrong_message(const abi::Status*) { return "something else"; }
void release_status(abi::Status*) {}

template <class Function>
void* pointer(Function* function) {
  return reinterpret_cast<void*>(function);
}

void test_wrong_tables() {
  std::vector<void*> table(kTableSize, pointer(&do_nothing));
  table[93] = pointer(&release_status);
  table[0] = pointer(&make_no_status);
  CHECK_THROWS(ort::check_table("/x", ort::abi::Api(table.data())), OrtError);
  table[0] = pointer(&make_status);
  table[1] = pointer(&wrong_code);
  CHECK_THROWS(ort::check_table("/x", ort::abi::Api(table.data())), OrtError);
  table[1] = pointer(&right_code);
  table[2] = pointer(&wrong_message);
  CHECK_THROWS(ort::check_table("/x", ort::abi::Api(table.data())), OrtError);
  table[123] = nullptr;
  CHECK_THROWS(ort::abi::Api(table.data()), OrtError);
}

void test_versions() {
  for (const char* good : {"1.20.0", "1.31.1", "1.100.0", "2.0.0"}) {
    CHECK(ort::supported_version("/x", good) == good);
  }
  for (const char* bad : {"1.19.2", "0.30.0", "", "one", "1", "1.x"}) {
    CHECK_THROWS(ort::supported_version("/x", bad), OrtError);
  }
  CHECK_THROWS(ort::supported_version("/x", nullptr), OrtError);
}

void test_files_that_are_no_library(const std::string& program) {
  for (const std::string& path :
       {std::string("/missing"), std::string("relative.so"), std::string(), program}) {
    CHECK_THROWS(ort::Library::open(path), OrtError);
  }
}

// ---- sessions

std::vector<float> numbers(std::size_t count, float first) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = first + static_cast<float>(i);
  return values;
}

bool answers_right(const ort::Session& session, std::size_t batch, float first, std::vector<float>& output) {
  const auto input = numbers(batch * 3, first);
  auto expected = input;
  for (float& value : expected) value = std::max(value, 0.0f);
  Shape shape;
  session.run(input.data(), {static_cast<std::int64_t>(batch), 3}, output, shape);
  return output == expected && shape == Shape{static_cast<std::int64_t>(batch), 3};
}

void test_session(const std::string& library) {
  const std::string model = tiny_model();
  const auto session = ort::Session::from_bytes(library, model.data(), model.size(), {});
  CHECK(session->inputs().size() == 1 && session->inputs()[0].name == "x");
  CHECK((session->inputs()[0].shape == Shape{-1, 3}) && session->inputs()[0].element_type == 1);
  CHECK(session->outputs().size() == 1 && session->outputs()[0].name == "y");
  CHECK(session->metadata().at("charset") == "\xc5\xbb\xc3\xb3");
  std::vector<float> output;
  for (const std::size_t batch : {2, 2, 5, 1, 5}) CHECK(answers_right(*session, batch, -4.5f, output));
}

void test_file(const std::string& library) {
  const auto path = std::filesystem::temp_directory_path() / std::filesystem::u8path("lprfast \xc3\xb3.onnx");
  std::ofstream(path, std::ios::binary) << tiny_model();
  std::vector<float> output;
  CHECK(answers_right(*ort::Session::from_file(library, path.u8string(), {}), 4, -2.0f, output));
  std::filesystem::remove(path);
  CHECK_THROWS(ort::Session::from_file(library, path.u8string(), {}), ModelError);
}

void test_errors(const std::string& library) {
  const std::string model = tiny_model();
  const auto session = ort::Session::from_bytes(library, model.data(), model.size(), {});
  const auto input = numbers(6, 0.0f);
  std::vector<float> output;
  Shape shape;
  CHECK_THROWS(session->run(input.data(), {2, 2}, output, shape), OrtError);
  CHECK_THROWS(session->run(input.data(), {6}, output, shape), OrtError);
  CHECK_THROWS(session->run(input.data(), {-1, 3}, output, shape), std::invalid_argument);
  const std::int64_t huge = std::int64_t{1} << 40;
  CHECK_THROWS(session->run(input.data(), {huge, huge}, output, shape), std::invalid_argument);
  for (std::size_t size = 0; size < model.size() - 30; size += 3) {
    CHECK_THROWS(ort::Session::from_bytes(library, model.data(), size, {}), ModelError);
  }
  const std::string unknown = tiny_model("NoSuchOperation");
  CHECK_THROWS(ort::Session::from_bytes(library, unknown.data(), unknown.size(), {}), ModelError);
  for (const char* device : {"gpu", "cuda:", "cuda:1x"}) {
    const ort::SessionOptions options{device, 1, false};
    CHECK_THROWS(ort::Session::from_bytes(library, model.data(), model.size(), options),
                 std::invalid_argument);
  }
}

void test_many_threads(const std::string& library, int session_threads) {
  const std::string model = tiny_model();
  const auto session =
      ort::Session::from_bytes(library, model.data(), model.size(), {"cpu", session_threads, false});
  std::vector<int> right(8);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      ort::Library::open(library);
      std::vector<float> output;
      for (std::size_t i = 0; i < 200; ++i) {
        right[t] += answers_right(*session, 1 + (t + i) % 5, -static_cast<float>(t), output);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const int count : right) CHECK(count == 200);
}

}  // namespace

int main(int argc, char** argv) {
  test_wrong_tables();
  test_versions();
  test_files_that_are_no_library(std::filesystem::absolute(argv[0]).string());
  if (argc < 2) {
    std::printf("no library given: sessions were not tested\n");
    return lprfast::testing::failures() != 0;
  }
  setenv("ORT_DISABLE_TELEMETRY", "1", 1);  // before the library loads
  const std::string library = argv[1];
  test_session(library);
  test_file(library);
  test_errors(library);
  for (const int threads : {1, 2}) test_many_threads(library, threads);
  return lprfast::testing::failures() != 0;
}
