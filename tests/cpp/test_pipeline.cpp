// The whole way, crops to reads, from many threads at once: for ThreadSanitizer and AddressSanitizer.
// Arguments: the ONNX Runtime library and the bundled model.
#include <algorithm>
#include <cstdint>
#include <set>
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

constexpr int kScale = 3, kTop = 7, kLeft = 7;  // pixels per dot, and of margin
// Digits of 5 x 7 dots, a row in each number.
constexpr unsigned kDigits[10][7] = {
    {14, 17, 19, 21, 25, 17, 14}, {4, 12, 4, 4, 4, 4, 14},  {14, 17, 1, 2, 4, 8, 31},
    {31, 2, 4, 2, 1, 17, 14},     {2, 6, 10, 18, 31, 2, 2}, {31, 16, 30, 1, 1, 17, 14},
    {6, 8, 16, 30, 17, 17, 14},   {31, 1, 2, 4, 8, 8, 8},   {14, 17, 17, 14, 17, 17, 14},
    {14, 17, 17, 15, 1, 2, 12},
};

void draw(const std::string& text, int width, std::vector<std::uint8_t>& pixels) {
  for (int y = 0; y < 7 * kScale; ++y) {
    for (int x = 0; x < 6 * kScale * static_cast<int>(text.size()); ++x) {
      const int digit = text[static_cast<std::size_t>(x / (6 * kScale))] - '0';
      const int dot = x / kScale % 6;
      const bool ink = dot < 5 && ((kDigits[digit][y / kScale] >> (4 - dot)) & 1U);
      if (ink) pixels[static_cast<std::size_t>((kTop + y) * width + kLeft + x)] = 30;
    }
  }
}

// Plates of different texts, and stripes: no plate, but not empty either.
std::vector<std::vector<std::uint8_t>> make_pixels(int height, int width) {
  std::vector<std::vector<std::uint8_t>> crops;
  for (const char* const text : {"5551234", "31415", "5551231", "123123", "8123456", "1234", "2222222"}) {
    crops.emplace_back(static_cast<std::size_t>(height * width), std::uint8_t{220});
    draw(text, width, crops.back());
  }
  for (int period = 2; period < 5; ++period) {
    crops.emplace_back();
    for (int i = 0; i < height * width; ++i) crops.back().push_back(i % width / period % 2 ? 230 : 25);
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

std::vector<int> labels(const Read& read) {
  std::vector<int> found;
  for (const lprfast::ctc::Character& character : read.characters) found.push_back(character.label);
  return found;
}

// Every bit: which thread reads a crop, and when, changes nothing.
bool same(const Read& a, const Read& b) {
  return a.status == b.status && labels(a) == labels(b) && a.confidence == b.confidence &&
         a.log_posteriors == b.log_posteriors;
}

bool same(const std::vector<Read>& a, const std::vector<Read>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Read& left, const Read& right) { return same(left, right); });
}

// Else swapped results could not be told from right ones.
void all_texts_differ(const std::vector<Read>& reads) {
  std::set<std::vector<int>> texts;
  std::size_t answered = 0;
  for (const Read& read : reads) {
    if (read.status != Status::ok) continue;
    ++answered;
    texts.insert(labels(read));
  }
  CHECK(answered >= 4);
  CHECK(texts.size() == answered);
}

// At 140 x 70 crops that read empty are cut and read again.
void read_from_many_threads(const Reader& reader, int height, int width) {
  const auto pixels = make_pixels(height, width);
  const std::vector<Crop> crops = make_crops(pixels, height, width);
  const std::vector<Read> expected = reader.read(crops, 0);
  CHECK(expected.size() == crops.size());
  CHECK(expected.back().status == Status::error && expected.back().error == "no crop");
  CHECK(expected.front().width == width && expected.front().status != Status::error);
  all_texts_differ(expected);
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
  spec.prepare.height = std::stoi(session->metadata().at("input_height"));
  spec.prepare.width = std::stoi(session->metadata().at("input_width"));
  spec.threads = 3;
  spec.batch = 2;
  read_from_many_threads(Reader(session, spec), 35, 140);
  spec.two_line = true;
  read_from_many_threads(Reader(session, spec), 70, 140);
  CHECK_THROWS(Reader(session,
                      [&] {
                        lprfast::pipeline::ReaderSpec other = spec;
                        other.classes += 1;
                        return other;
                      }()),
               std::exception);
  return lprfast::testing::failures() != 0;
}
