// Crops of many sizes and layouts enlarged from many threads, and read: for the sanitizers.
// Arguments: the ONNX Runtime library and the bundled model.
#include "pipeline/upscaler.hpp"

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"
#include "core/error.hpp"
#include "pipeline/reader.hpp"
#include "tiny_model.hpp"

namespace {

using namespace lprfast::pipeline;
using lprfast::ImageView;

// A crop whose memory ends with its last pixel, so that a sanitizer sees what reads past it.
struct Pixels {
  Pixels(std::int64_t height, std::int64_t width, int channels)
      : bytes(static_cast<std::size_t>(height * width * channels)) {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 % 251);
    view = {bytes.data(), height, width, channels, width * channels, channels, 1};
  }
  std::vector<std::uint8_t> bytes;
  ImageView view;
};

std::vector<Pixels> make_pixels() {
  std::vector<Pixels> all;
  for (const int channels : {1, 3, 4}) {
    for (const int width : {1, 2, 15, 16, 17, 33, 80, 101}) {
      for (const int height : {1, 7, 8, 24, 31}) all.emplace_back(height, width, channels);
    }
  }
  all.emplace_back(150, 300, 1);  // by patches of 64
  all.emplace_back(5, 3000, 3);
  return all;
}

bool doubled(const ImageView& crop, const Upscaled& answer) {
  if (answer.height != 2 * crop.height || answer.width != 2 * crop.width) return false;
  for (std::int64_t y = 0; y < answer.height; ++y) {
    for (std::int64_t x = 0; x < answer.width; ++x) {
      const auto at = static_cast<std::size_t>(y * answer.width + x);
      if (answer.pixels[at] != crop.data[y / 2 * crop.row_stride + x / 2 * crop.column_stride]) return false;
    }
  }
  return true;
}

UpscalerSpec make_spec(int threads) {
  UpscalerSpec spec;
  spec.scale = 2;
  spec.threads = threads;
  spec.batch = 3;
  spec.patches.size = 64;
  return spec;
}

void enlarge_from_many_threads(const std::shared_ptr<lprfast::ort::Session>& session) {
  const Upscaler upscaler(session, make_spec(3));
  const std::vector<Pixels> pixels = make_pixels();
  std::vector<Crop> crops;
  for (const Pixels& one : pixels) {
    crops.emplace_back();
    crops.back().view = one.view;
  }
  crops.emplace_back();
  crops.back().error = "no crop";
  std::vector<const Crop*> wanted{nullptr};
  for (const Crop& crop : crops) wanted.push_back(&crop);
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      const std::vector<Upscaled> answers = upscaler.upscale(wanted);
      count += answers[0].pixels.empty() && answers.back().error == "no crop" ? 0 : 1;
      for (std::size_t i = 0; i < pixels.size(); ++i) {
        const bool gray = pixels[i].view.channels == 1;
        const auto size = static_cast<std::size_t>(4 * pixels[i].view.height * pixels[i].view.width);
        const Upscaled& answer = answers[i + 1];
        count += (gray ? doubled(pixels[i].view, answer) : answer.pixels.size() == size) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : wrong) CHECK(count == 0);
}

void read_through_it(const std::shared_ptr<lprfast::ort::Session>& sr,
                     const std::shared_ptr<lprfast::ort::Session>& session) {
  ReaderSpec spec;
  const std::string charset = session->metadata().at("charset");
  std::size_t quotes = 0;
  for (const char c : charset) quotes += c == '"';
  spec.classes = quotes / 2 + 1;
  spec.prepare.height = std::stoi(session->metadata().at("input_height"));
  spec.prepare.width = std::stoi(session->metadata().at("input_width"));
  spec.two_line = true;
  spec.upscaler = std::make_shared<Upscaler>(sr, make_spec(2));
  spec.upscale_below = 50;
  const Reader reader(session, spec);
  const Pixels narrow(20, 49, 3), wide(20, 50, 1), square(40, 40, 1);
  std::vector<Crop> crops(3);
  crops[0].view = narrow.view;
  crops[1].view = wide.view;
  crops[2].view = square.view;
  std::vector<std::thread> threads;
  std::vector<int> wrong(3, 0);
  for (int& count : wrong) {
    threads.emplace_back([&] {
      const std::vector<Read> reads = reader.read(crops, 0);
      count += reads[0].upscaled == 2 && reads[1].upscaled == 0 && reads[2].upscaled == 2 ? 0 : 1;
      count += reads[0].width == 49 && reads[0].status != Status::error ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : wrong) CHECK(count == 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: test_upscaler ONNXRUNTIME_LIBRARY MODEL\n");
    return 2;
  }
  const std::string bytes = lprfast::testing::doubling_model();
  const auto sr = lprfast::ort::Session::from_bytes(argv[1], bytes.data(), bytes.size(), {});
  enlarge_from_many_threads(sr);
  read_through_it(sr, lprfast::ort::Session::from_file(argv[1], argv[2], {}));
  UpscalerSpec other = make_spec(1);
  other.scale = 4;
  CHECK_THROWS(Upscaler(sr, other), lprfast::ModelError);
  other.scale = 3;
  CHECK_THROWS(Upscaler(sr, other), std::invalid_argument);
  return lprfast::testing::failures();
}
