// Layouts: patterns in as lists of strings. TextPrior: the same through the symbols of a model or a vote.
#include <pybind11/stl.h>

#include "bindings/bindings.hpp"
#include "ctc/text_prior.hpp"

namespace lprfast::bindings {

namespace py = pybind11;

namespace {

using Patterns = std::vector<std::pair<double, std::vector<std::vector<std::u32string>>>>;

std::shared_ptr<ctc::Layouts> make_layouts(const Patterns& patterns,
                                           const std::map<char32_t, double>& free_logs, double rare_log,
                                           double length_log, double escape, double strength,
                                           double ceiling) {
  ctc::PriorSpec spec;
  for (const auto& [share, elements] : patterns) spec.patterns.push_back({share, elements});
  spec.free_logs = free_logs;
  spec.rare_log = rare_log;
  spec.length_log = length_log;
  spec.escape = escape;
  spec.strength = strength;
  spec.ceiling = ceiling;
  return std::make_shared<ctc::Layouts>(spec);
}

std::vector<double> log_weights(const ctc::TextPrior& prior, const std::vector<ctc::Labels>& texts) {
  std::vector<double> out;
  for (const ctc::Labels& labels : texts) {
    for (const int label : labels) {
      if (label >= 0 && static_cast<std::size_t>(label) < prior.classes()) continue;
      throw std::invalid_argument("texts: expected classes from 0 to " + std::to_string(prior.classes() - 1) +
                                  ", got " + std::to_string(label));
    }
    out.push_back(prior(labels));
  }
  return out;
}

}  // namespace

void register_prior(py::module_& module) {
  py::class_<ctc::Layouts, std::shared_ptr<ctc::Layouts>>(module, "Layouts")
      .def(py::init(&make_layouts), py::arg("patterns"), py::kw_only(), py::arg("free_logs"),
           py::arg("rare_log"), py::arg("length_log"), py::arg("escape"), py::arg("strength"),
           py::arg("ceiling"));
  py::class_<ctc::TextPrior, std::shared_ptr<ctc::TextPrior>>(module, "TextPrior")
      .def(py::init([](std::shared_ptr<ctc::Layouts> layouts, const std::vector<std::u32string>& symbols) {
             return std::make_shared<ctc::TextPrior>(std::move(layouts), symbols);
           }),
           py::arg("layouts"), py::arg("symbols"))
      .def("log_weights", &log_weights, py::arg("texts"));
}

}  // namespace lprfast::bindings
