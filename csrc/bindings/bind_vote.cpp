// vote_decide: ballots in as tuples, the decision out as a dict; the texts are sequences of class numbers.
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "bindings/bindings.hpp"
#include "bindings/gil.hpp"
#include "bindings/numpy.hpp"
#include "core/half.hpp"
#include "vote/copies.hpp"
#include "vote/rules.hpp"
#include "vote/vote.hpp"

namespace lprfast::bindings {

namespace py = pybind11;

namespace {

constexpr py::ssize_t kMaxSteps = 4096;

// Labels and offsets of a watchlist's texts, and the least probability that is asked for.
using Watched = std::tuple<py::array_t<std::int32_t, py::array::c_style>,
                           py::array_t<std::int64_t, py::array::c_style>, double>;

// The ballots and the memory that they look at.
struct Box {
  std::vector<vote::Ballot> ballots;
  std::vector<std::pair<const std::uint16_t*, std::size_t>> halves;  // one range per ballot, maybe empty
  std::vector<std::vector<float>> scores;
  std::vector<py::object> keep;

  // Without the GIL: float16 to float, then the views on it.
  void widen() {
    scores.resize(ballots.size());
    for (std::size_t i = 0; i < ballots.size(); ++i) {
      const auto [data, count] = halves[i];
      if (!data) continue;
      scores[i].resize(count);
      half_to_float(data, count, scores[i].data());
      ballots[i].log_posteriors.data = scores[i].data();
    }
  }
};

std::string at(std::size_t index, const char* what) {
  return "ballots[" + std::to_string(index) + "]: " + what;
}

void check_labels(const vote::Labels& labels, const vote::Options& options, std::size_t index) {
  for (const int label : labels) {
    if (label < 0 || label >= options.classes || label == options.blank) {
      throw std::invalid_argument(at(index, "a label is the blank or no class of the alphabet"));
    }
  }
}

// NaN counts as nothing known.
template <class T>
T as_probability(T value) {
  return value > 0 ? std::min(value, T{1}) : T{0};
}

std::vector<float> as_probabilities(const py::handle& object) {
  std::vector<float> values = object.cast<std::vector<float>>();
  for (float& value : values) value = as_probability(value);
  return values;
}

void add_posteriors(const py::handle& object, const vote::Options& options, Box& box) {
  const std::size_t index = box.ballots.size() - 1;
  box.halves.emplace_back(nullptr, 0);
  if (object.is_none()) return;
  const auto array = py::reinterpret_borrow<py::array>(object);
  const bool is_half =
      py::isinstance<py::array>(object) && array.dtype().kind() == 'f' && array.itemsize() == 2;
  if (!is_half || array.ndim() != 2 || !(array.flags() & py::array::c_style)) {
    throw std::invalid_argument(at(index, "expected a float16 array [T, K] in C order, got ") +
                                describe(object));
  }
  if (array.shape(0) < 1 || array.shape(0) > kMaxSteps || array.shape(1) <= options.blank ||
      array.shape(1) > options.classes) {
    throw std::invalid_argument(at(index, "steps or classes out of range: ") + describe(object));
  }
  vote::Ballot& ballot = box.ballots.back();
  ballot.log_posteriors.steps = static_cast<std::size_t>(array.shape(0));
  ballot.log_posteriors.classes = static_cast<std::size_t>(array.shape(1));
  box.halves.back() = {static_cast<const std::uint16_t*>(array.data()),
                       static_cast<std::size_t>(array.size())};
  box.keep.push_back(array);
}

void add_signature(const py::handle& object, Box& box) {
  if (object.is_none()) return;
  const bool is_bytes = py::isinstance<py::array_t<std::uint8_t>>(object);
  const auto array = py::reinterpret_borrow<py::array>(object);
  if (!is_bytes || array.ndim() != 1 || array.size() != static_cast<py::ssize_t>(vote::kSignatureSize) ||
      !(array.flags() & py::array::c_style)) {
    throw std::invalid_argument(at(box.ballots.size() - 1, "expected a uint8 signature [64], got ") +
                                describe(object));
  }
  box.ballots.back().signature = static_cast<const std::uint8_t*>(array.data());
  box.keep.push_back(array);
}

// (log_posteriors or None, labels, confidence, confidences, runners_up, runner_up_confidences, proposals,
// width, signature or None)
void add_ballot(const py::tuple& fields, const vote::Options& options, Box& box) {
  const std::size_t index = box.ballots.size();
  if (fields.size() != 9) throw std::invalid_argument(at(index, "expected 9 fields"));
  box.ballots.emplace_back();
  add_posteriors(fields[0], options, box);
  vote::Ballot& ballot = box.ballots.back();
  ballot.labels = fields[1].cast<vote::Labels>();
  ballot.confidence = as_probability(fields[2].cast<double>());
  ballot.confidences = as_probabilities(fields[3]);
  ballot.runners_up = fields[4].cast<std::vector<int>>();
  ballot.runner_up_confidences = as_probabilities(fields[5]);
  ballot.proposals = fields[6].cast<std::vector<vote::Labels>>();
  ballot.width = fields[7].cast<int>();
  add_signature(fields[8], box);
  check_labels(ballot.labels, options, index);
  check_labels(ballot.runners_up, options, index);
  for (const vote::Labels& labels : ballot.proposals) check_labels(labels, options, index);
  if (ballot.runners_up.size() != ballot.runner_up_confidences.size()) {
    throw std::invalid_argument(at(index, "as many runners-up as confidences of them are needed"));
  }
}

void check_options(const vote::Options& options) {
  if (options.classes < 2) throw std::invalid_argument("classes: expected 2 or more");
  if (options.blank < 0 || options.blank >= options.classes) throw std::invalid_argument("blank: no class");
  if (!(options.floor >= -60 && options.floor < 0))
    throw std::invalid_argument("floor: expected -60 up to 0");
  if (!(options.correlation >= 0 && options.correlation <= 1)) {
    throw std::invalid_argument("correlation: expected 0 to 1");
  }
  if (!(options.reserve >= 0 && options.reserve < 1))
    throw std::invalid_argument("reserve: expected 0 up to 1");
  if (options.prior && options.prior->classes() != static_cast<std::size_t>(options.classes)) {
    throw std::invalid_argument("prior: expected one of the vote's own classes");
  }
  check_logistic(options.calibration.logistic, options.calibration.features.size());
}

// Views on the two arrays (int32 labels, int64 offsets from 0 that never fall), checked.
vote::Watchlist watchlist_of(const py::array_t<std::int32_t, py::array::c_style>& labels,
                             const py::array_t<std::int64_t, py::array::c_style>& offsets, double least,
                             int classes) {
  vote::Watchlist watchlist;
  watchlist.labels = labels.data();
  watchlist.offsets = offsets.data();
  watchlist.least = least;
  if (offsets.size() < 1 || offsets.data()[0] != 0)
    throw std::invalid_argument("watchlist: offsets begin at 0");
  watchlist.size = static_cast<std::size_t>(offsets.size() - 1);
  for (std::size_t i = 0; i < watchlist.size; ++i) {
    if (offsets.data()[i + 1] < offsets.data()[i]) throw std::invalid_argument("watchlist: offsets fall");
  }
  if (offsets.data()[watchlist.size] != labels.size()) {
    throw std::invalid_argument("watchlist: the last offset is not the number of labels");
  }
  for (py::ssize_t i = 0; i < labels.size(); ++i) {
    if (labels.data()[i] < vote::kUnknownSymbol || labels.data()[i] >= classes) {
      throw std::invalid_argument("watchlist: a label is no class of the alphabet");
    }
  }
  return watchlist;
}

// (indices int64 [M], probabilities float64 [M], log ratios float64 [M])
py::tuple matches_of(const std::vector<vote::Match>& matches) {
  const py::ssize_t count = static_cast<py::ssize_t>(matches.size());
  py::array_t<std::int64_t> indices(count);
  py::array_t<double> probabilities(count), ratios(count);
  for (std::size_t i = 0; i < matches.size(); ++i) {
    indices.mutable_data()[i] = static_cast<std::int64_t>(matches[i].index);
    probabilities.mutable_data()[i] = matches[i].probability;
    ratios.mutable_data()[i] = matches[i].log_ratio;
  }
  return py::make_tuple(indices, probabilities, ratios);
}

py::dict to_dict(const vote::Result& result) {
  static const char* const kUses[] = {"voted", "duplicate", "invalid", "empty", "surplus", "unfit", "silent"};
  py::list characters, alternatives, contributions;
  for (const vote::Character& c : result.characters) {
    characters.append(py::make_tuple(c.label, c.confidence, c.runner_up, c.runner_up_confidence));
  }
  for (const vote::Alternative& alternative : result.alternatives) {
    alternatives.append(py::make_tuple(alternative.labels, alternative.probability));
  }
  for (const vote::Contribution& c : result.contributions) {
    contributions.append(
        py::make_tuple(kUses[static_cast<int>(c.use)], c.weight, c.log_likelihood, c.labels));
  }
  py::dict out;
  out["labels"] = result.labels;
  out["probability"] = result.probability;
  out["raw_probability"] = result.raw_probability;
  out["characters"] = characters;
  out["alternatives"] = alternatives;
  out["contributions"] = contributions;
  out["effective_reads"] = result.effective_reads;
  return out;
}

py::dict vote_decide(const py::list& ballots, int classes, int blank, double floor, double correlation,
                     double reserve, std::size_t alternatives, const std::string& rule_name,
                     const ctc::TextPrior* prior, const std::optional<Watched>& watched,
                     const std::vector<std::string>& calibration_features,
                     const std::vector<double>& calibration_weights, double calibration_bias) {
  const vote::Rule rule = vote::rule_of(rule_name);
  vote::Options options;
  options.classes = classes;
  options.blank = blank;
  options.floor = floor;
  options.correlation = correlation;
  options.reserve = reserve;
  options.alternatives = alternatives;
  options.prior = prior;
  for (const std::string& name : calibration_features) {
    options.calibration.features.push_back(vote::feature_from_name(name));
  }
  options.calibration.logistic = {calibration_weights, calibration_bias};
  check_options(options);
  std::optional<vote::Watchlist> watchlist;
  if (watched) {
    const auto& [labels, offsets, least] = *watched;
    watchlist = watchlist_of(labels, offsets, least, classes);
  }
  Box box;
  for (const py::handle& ballot : ballots) add_ballot(ballot.cast<py::tuple>(), options, box);
  vote::Result result;
  {
    const GilRelease release;
    box.widen();
    result = vote::decide_by(rule, box.ballots, options, watchlist ? &*watchlist : nullptr);
  }
  py::dict out = to_dict(result);
  if (watchlist) out["matches"] = matches_of(result.matches);
  return out;
}

// float32 [N] through float16 and back, for the tests: (the halves as uint16, the floats again).
py::tuple half_round_trip(const py::handle& object) {
  const auto values = require_array<float>(object, "values", 1);
  const std::size_t count = static_cast<std::size_t>(values.size());
  py::array_t<std::uint16_t> halves(values.size());
  py::array_t<float> floats(values.size());
  float_to_half(values.data(), count, halves.mutable_data());
  half_to_float(halves.data(), count, floats.mutable_data());
  return py::make_tuple(halves, floats);
}

}  // namespace

void register_vote(py::module_& module) {
  const vote::Options defaults;
  module.attr("vote_correlation") = defaults.correlation;
  module.attr("vote_floor") = defaults.floor;
  module.attr("vote_narrow") = vote::kNarrow;
  module.attr("vote_wide") = vote::kWide;
  module.attr("vote_same") = vote::kSame;
  module.attr("vote_different") = vote::kDifferent;
  module.attr("vote_max_reads") = defaults.max_voters;
  module.def("vote_decide", &vote_decide, py::arg("ballots"), py::kw_only(), py::arg("classes"),
             py::arg("blank") = defaults.blank, py::arg("floor") = defaults.floor,
             py::arg("correlation") = defaults.correlation, py::arg("reserve") = defaults.reserve,
             py::arg("alternatives") = defaults.alternatives, py::arg("rule") = "fused",
             py::arg("prior") = py::none(), py::arg("watchlist") = std::nullopt,
             py::arg("calibration_features") = std::vector<std::string>(),
             py::arg("calibration_weights") = std::vector<double>(), py::arg("calibration_bias") = 0.0);
  module.def("half_round_trip", &half_round_trip, py::arg("values"));
}

}  // namespace lprfast::bindings
