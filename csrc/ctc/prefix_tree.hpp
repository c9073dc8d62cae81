// The prefixes that a beam has held, as a tree in one array: a prefix is the number of its last node.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace lprfast::ctc {

class PrefixTree {
 public:
  static constexpr std::int32_t kNone = -1;
  static constexpr std::int32_t kRoot = 0;  // the empty prefix; its label is kNone

  explicit PrefixTree(std::size_t expected) {
    nodes_.reserve(expected);
    nodes_.push_back({});
  }

  int label(std::int32_t node) const { return at(node).label; }
  std::int32_t parent(std::int32_t node) const { return at(node).parent; }
  // Place of the prefix in the present beam, or kNone.
  std::int32_t slot(std::int32_t node) const { return at(node).slot; }
  void set_slot(std::int32_t node, std::int32_t slot) { nodes_[static_cast<std::size_t>(node)].slot = slot; }

  // The prefix with one more label. A prefix that left the beam and comes back must be the same node again,
  // or its descendants in the beam would no longer be known as such.
  std::int32_t child(std::int32_t node, int label) {
    const std::int32_t first = at(node).first_child;
    for (std::int32_t i = first; i != kNone; i = at(i).next_sibling) {
      if (at(i).label == label) return i;
    }
    const auto added = static_cast<std::int32_t>(nodes_.size());
    nodes_.push_back({label, node, kNone, first, kNone});
    nodes_[static_cast<std::size_t>(node)].first_child = added;
    return added;
  }

  std::vector<int> labels(std::int32_t node) const {
    std::vector<int> labels;
    for (; node != kRoot; node = parent(node)) labels.push_back(label(node));
    std::reverse(labels.begin(), labels.end());
    return labels;
  }

 private:
  struct Node {
    std::int32_t label = kNone;
    std::int32_t parent = kNone;
    std::int32_t first_child = kNone;
    std::int32_t next_sibling = kNone;
    std::int32_t slot = kNone;
  };
  const Node& at(std::int32_t node) const { return nodes_[static_cast<std::size_t>(node)]; }

  std::vector<Node> nodes_;
};

}  // namespace lprfast::ctc
