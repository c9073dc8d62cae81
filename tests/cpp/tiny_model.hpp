// Models encoded by hand: the tests need no ONNX library.
// The numbers are the field numbers of onnx.proto.
#pragma once

#include <string>

namespace lprfast::testing {

inline std::string varint(std::size_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
  return bytes + static_cast<char>(value);
}

inline std::string number(int field, std::size_t value) {
  return varint(static_cast<std::size_t>(field) << 3) + varint(value);
}

inline std::string message(int field, const std::string& content) {
  return varint((static_cast<std::size_t>(field) << 3) | 2) + varint(content.size()) + content;
}

inline std::string float_tensor(const std::string& name) {
  const std::string shape = message(1, message(2, "n")) + message(1, number(1, 3));
  const std::string tensor = number(1, 1) + message(2, shape);
  return message(1, name) + message(2, message(1, tensor));
}

// One Relu: x float32 [n, 3] -> y float32 [n, 3].
inline std::string tiny_model(const std::string& operation = "Relu") {
  const std::string node = message(1, "x") + message(2, "y") + message(4, operation);
  const std::string graph =
      message(1, node) + message(2, "tiny") + message(11, float_tensor("x")) + message(12, float_tensor("y"));
  const std::string opset = message(1, "") + number(2, 13);
  const std::string metadata = message(1, "charset") + message(2, "\xc5\xbb\xc3\xb3");
  return number(1, 8) + message(7, graph) + message(8, opset) + message(14, metadata);
}

// Images [N, 1, H, W] to [N, 1, 2 H, 2 W] by nearest neighbours: four times the same channel, then
// DepthToSpace.
inline std::string doubling_model() {
  const auto tensor = [](const std::string& name, const std::string& height, const std::string& width) {
    const std::string shape = message(1, message(2, "N")) + message(1, number(1, 1)) +
                              message(1, message(2, height)) + message(1, message(2, width));
    return message(1, name) + message(2, message(1, number(1, 1) + message(2, shape)));
  };
  const auto node = [](const std::string& inputs, const std::string& output, const std::string& operation,
                       const std::string& attribute, std::size_t value) {
    const std::string number_attribute = message(1, attribute) + number(3, value) + number(20, 2);
    return message(1, inputs + message(2, output) + message(4, operation) + message(5, number_attribute));
  };
  const std::string image = message(1, "images");
  const std::string graph = node(image + image + image + image, "four", "Concat", "axis", 1) +
                            node(message(1, "four"), "upscaled", "DepthToSpace", "blocksize", 2) +
                            message(2, "doubling") + message(11, tensor("images", "H", "W")) +
                            message(12, tensor("upscaled", "h", "w"));
  return number(1, 8) + message(7, graph) + message(8, message(1, "") + number(2, 13));
}

}  // namespace lprfast::testing
