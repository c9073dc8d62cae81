// The whole way, crops to reads, from many threads at once: for ThreadSanitizer and AddressSanitizer.
// Arguments: the ONNX Runtime library and the bundled model.
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"
#include "pipeline/reader.hpp"

namespace {

using lprfast::pipeline::Crop;
using lprfast::pipeline::Read;
using lprfast::pipeline::Reader;
using lprfast::pipeline::Status;

// Stripes of another period for each crop: not plates, but not empty either.
std::vector<std::vector<std::uint8_t>> make_pixels(int count, int height, int width) {
  std::vector<std::vector<std::uint8_t>> crops(static_cast<std::size_t>(count));
  for (int c = 0; c < count; ++c) {
    for (int i = 0; i < height * width; ++i) {
      crops[static_cast<std::size_t>(c)].push_back((i % width) / (2 + c) % 2 ? 230 : 25);
    }
  }
  return crops;
}

std::vector<Crop> make_crops(const std::vector<std::vector<std::uint8_t>>& pixels, int height, int width) {
  std::vector<Crop> crops;
  for (const std::vector<std::uint8_t>& image : pixels) {
    Crop crop;
    crop.view = {image.data(), height, width, 1, width, 1, 0};
    crops.push_back(crop);
  }
  Crop bad;
  bad.error = "no crop";
  crops.push_back(bad);
  return crops;
}

bool same(const std::vector<Read>& a, const std::vector<Read>& b) {
  bool equal = a.size() == b.size();
  for (std::size_t i = 0; equal && i < a.size(); ++i) {
    equal = a[i].status == b[i].status && a[i].characters.size() == b[i].characters.size();
    for (std::size_t k = 0; equal && k < a[i].characters.size(); ++k) {
      equal = a[i].characters[k].label == b[i].characters[k].label;
    }
  }
  return equal;
}

// At 96 x 60 crops that read empty are cut and read again.
void read_from_many_threads(const Reader& reader, int height, int width) {
  const auto pixels = make_pixels(9, height, width);
  const std::vector<Crop> crops = make_crops(pixels, height, width);
  const std::vector<Read> expected = reader.read(crops, 0);
  CHECK(expected.size() == crops.size());
  CHECK(expected.back().status == Status::error && expected.back().error == "no crop");
  CHECK(expected.front().width == width && expected.front().status != Status::error);
  std::vector<int> wrong(8, 0);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 6; ++i) count += same(reader.read(crops, i % 2), expected) ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : wrong) CHECK(count == 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: test_pipeline ONNXRUNTIME_LIBRARY MODEL\n");
    return 2;
  }
  const auto session = lprfast::ort::Session::from_file(argv[1], argv[2], {});
  lprfast::pipeline::ReaderSpec spec;
  const std::string charset = session->metadata().at("charset");  // a JSON list: two quotes for each symbol
  std::size_t quotes = 0;
  for (const char c : charset) quotes += c == '"';
  spec.classes = quotes / 2 + 1;
  spec.threads = 3;
  spec.batch = 2;
  read_from_many_threads(Reader(session, spec), 24, 96);
  spec.two_line = true;
  read_from_many_threads(Reader(session, spec), 60, 96);
  CHECK_THROWS(Reader(session,
                      [&] {
                        lprfast::pipeline::ReaderSpec other = spec;
                        other.classes += 1;
                        return other;
                      }()),
               std::exception);
  return lprfast::testing::failures() != 0;
}
