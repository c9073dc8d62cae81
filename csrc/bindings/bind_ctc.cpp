// CTC on NumPy arrays: scores float32 [N, T, K], results as flat arrays with offsets, one call per batch.
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "bindings/bindings.hpp"
#include "bindings/gil.hpp"
#include "bindings/numpy.hpp"
#include "ctc/ctc.hpp"
#include "ctc/scorer.hpp"

namespace lprfast::bindings {

namespace py = pybind11;

namespace {

using FloatArray = py::array_t<float>;

// A batch of crops whose shape and blank were checked; the values are checked later, without the GIL.
struct Batch {
  FloatArray array;
  std::size_t crops;
  std::size_t steps;
  std::size_t classes;
  int blank;
  bool logits;
  Isa isa;
};

Batch require_batch(const py::handle& scores, int blank, bool logits, const std::string& isa) {
  FloatArray array = require_array<float>(scores, "scores", 3);
  const auto classes = array.shape(2);
  if (classes < 2) {
    throw std::invalid_argument("scores: expected at least 2 classes (the blank and a symbol), got " +
                                std::to_string(classes));
  }
  if (blank < 0 || blank >= classes) {
    throw std::invalid_argument("blank: expected a class from 0 to " + std::to_string(classes - 1) +
                                ", got " + std::to_string(blank));
  }
  return {array,
          static_cast<std::size_t>(array.shape(0)),
          static_cast<std::size_t>(array.shape(1)),
          static_cast<std::size_t>(classes),
          blank,
          logits,
          isa_from_name(isa)};
}

enum class Check { all, by_use };  // who looks at log-posteriors: this loop, or the function it calls

// Calls use(crop, log-posteriors) for each crop, checked and, where they are logits, normalised.
template <class Use>
void for_each_crop(const Batch& batch, Check check, const Use& use) {
  const float* data = batch.array.data();
  const std::size_t size = batch.steps * batch.classes;
  std::vector<float> normalised(batch.logits ? size : 0);
  for (std::size_t n = 0; n < batch.crops; ++n) {
    ScoresView view{data + n * size, batch.steps, batch.classes};
    if (!batch.logits) {
      if (check == Check::all) ctc::check_scores(view, false, n, batch.isa);
    } else {
      if (!ctc::log_softmax(view, normalised.data(), batch.isa)) ctc::check_scores(view, true, n, batch.isa);
      view.data = normalised.data();
    }
    use(n, view);
  }
}

template <class T>
py::array_t<T> to_array(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

FloatArray log_softmax(const py::handle& scores, const std::string& isa) {
  const Batch batch = require_batch(scores, 0, true, isa);
  FloatArray out({batch.crops, batch.steps, batch.classes});
  float* target = out.mutable_data();
  {
    const GilRelease release;
    const std::size_t size = batch.steps * batch.classes;
    for (std::size_t n = 0; n < batch.crops; ++n) {
      const ScoresView view{batch.array.data() + n * size, batch.steps, batch.classes};
      if (!ctc::log_softmax(view, target + n * size, batch.isa)) ctc::check_scores(view, true, n, batch.isa);
    }
  }
  return out;
}

py::tuple greedy(const py::handle& scores, int blank, bool logits, const std::string& isa) {
  const Batch batch = require_batch(scores, blank, logits, isa);
  ctc::GreedyBatch decoder;
  const ctc::CharacterColumns* columns = nullptr;
  {
    const GilRelease release;
    decoder.reset(batch.crops, batch.steps, batch.classes);
    for_each_crop(batch, Check::by_use, [&](std::size_t n, ScoresView view) {
      if (!decoder.add(view, batch.blank, batch.isa)) ctc::check_scores(view, false, n, batch.isa);
    });
    columns = &decoder.finish(batch.isa);
  }
  return py::make_tuple(to_array(columns->offsets), to_array(columns->labels), to_array(columns->confidences),
                        to_array(columns->runners_up), to_array(columns->runner_up_confidences),
                        to_array(columns->steps));
}

// The symbols of all classes in one array; that of class k stands at starts[k] .. starts[k + 1].
struct Symbols {
  std::vector<Py_UCS4> characters;
  std::vector<std::size_t> starts{0};
  std::size_t longest = 0;

  explicit Symbols(const py::list& symbols) {
    for (const py::handle symbol : symbols) {
      if (!PyUnicode_Check(symbol.ptr())) throw py::type_error("symbols: expected a list of str");
      const py::ssize_t length = PyUnicode_GET_LENGTH(symbol.ptr());
      for (py::ssize_t i = 0; i < length; ++i) characters.push_back(PyUnicode_READ_CHAR(symbol.ptr(), i));
      starts.push_back(characters.size());
      longest = std::max(longest, static_cast<std::size_t>(length));
    }
  }
  std::size_t count() const { return starts.size() - 1; }
};

// The texts of labels[offsets[n]] .. labels[offsets[n + 1]], for each n.
py::tuple texts(const py::handle& offsets, const py::handle& labels, const py::list& symbols) {
  const auto ends = require_array<std::int64_t>(offsets, "offsets", 1);
  const auto classes = require_array<std::int32_t>(labels, "labels", 1);
  const Symbols table(symbols);
  const std::int32_t* label = classes.data();
  py::tuple out(ends.size() == 0 ? 0 : static_cast<std::size_t>(ends.size() - 1));
  std::vector<Py_UCS4> text;
  for (std::size_t n = 0; n < out.size(); ++n) {
    const std::int64_t end = ends.data()[n + 1];
    if (ends.data()[0] != 0 || end < label - classes.data() || end > classes.size()) {
      throw std::invalid_argument("offsets: expected 0 first, no fall, and no more than there are labels");
    }
    text.resize(
        std::max(text.size(), static_cast<std::size_t>(classes.data() + end - label) * table.longest));
    Py_UCS4* to = text.data();
    for (; label != classes.data() + end; ++label) {
      const auto k = static_cast<std::size_t>(*label);
      if (k >= table.count()) throw std::invalid_argument("labels: expected classes that have a symbol");
      for (std::size_t i = table.starts[k]; i < table.starts[k + 1]; ++i) *to++ = table.characters[i];
    }
    PyObject* joined = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, text.data(),
                                                 static_cast<py::ssize_t>(to - text.data()));
    if (joined == nullptr) throw py::error_already_set();
    PyTuple_SET_ITEM(out.ptr(), static_cast<py::ssize_t>(n), joined);
  }
  return out;
}

// Hypotheses of all crops, those of crop n at crop_offsets[n] .. crop_offsets[n + 1]; the labels of
// hypothesis h at label_offsets[h] .. label_offsets[h + 1].
struct BeamColumns {
  std::vector<std::int64_t> crop_offsets{0};
  std::vector<std::int64_t> label_offsets{0};
  std::vector<std::int32_t> labels;
  std::vector<double> log_probs;

  void add(const std::vector<ctc::Hypothesis>& hypotheses) {
    for (const ctc::Hypothesis& hypothesis : hypotheses) {
      labels.insert(labels.end(), hypothesis.labels.begin(), hypothesis.labels.end());
      label_offsets.push_back(static_cast<std::int64_t>(labels.size()));
      log_probs.push_back(hypothesis.log_prob);
    }
    crop_offsets.push_back(static_cast<std::int64_t>(log_probs.size()));
  }
};

// A beam of this many prefixes already takes seconds per crop; more is a slip of the finger.
constexpr int kLargestBeam = 100000;

void require_options(const ctc::BeamOptions& options) {
  if (options.beam_size < 1 || options.beam_size > kLargestBeam) {
    throw std::invalid_argument("beam_size: expected 1 to " + std::to_string(kLargestBeam) + ", got " +
                                std::to_string(options.beam_size));
  }
  if (options.nbest < 1) {
    throw std::invalid_argument("nbest: expected at least 1, got " + std::to_string(options.nbest));
  }
  if (!(options.prune >= 0 && options.prune < 1)) {
    throw std::invalid_argument("prune: expected a probability from 0 to under 1, got " +
                                std::to_string(options.prune));
  }
}

py::tuple beam(const py::handle& scores, int blank, bool logits, int beam_size, int nbest, double prune,
               const std::string& isa) {
  const Batch batch = require_batch(scores, blank, logits, isa);
  const ctc::BeamOptions options{beam_size, nbest, prune};
  require_options(options);
  BeamColumns columns;
  {
    const GilRelease release;
    for_each_crop(batch, Check::all, [&](std::size_t, ScoresView view) {
      columns.add(ctc::beam_search(view, batch.blank, options, batch.isa));
    });
  }
  return py::make_tuple(to_array(columns.crop_offsets), to_array(columns.label_offsets),
                        to_array(columns.labels), to_array(columns.log_probs));
}

using Texts = std::vector<std::vector<ctc::Labels>>;  // of each crop, any number of texts

void require_texts(const Batch& batch, const Texts& texts) {
  if (texts.size() != batch.crops) {
    throw std::invalid_argument("texts: expected those of " + std::to_string(batch.crops) + " crops, got " +
                                std::to_string(texts.size()));
  }
  for (const std::vector<ctc::Labels>& of_crop : texts) {
    for (const ctc::Labels& text : of_crop) {
      for (const int label : text) {
        if (label >= 0 && label < static_cast<int>(batch.classes) && label != batch.blank) continue;
        throw std::invalid_argument("texts: expected classes from 0 to " + std::to_string(batch.classes - 1) +
                                    " other than the blank, got " + std::to_string(label));
      }
    }
  }
}

py::array_t<double> score(const py::handle& scores, const Texts& texts, int blank, bool logits,
                          const std::string& isa) {
  const Batch batch = require_batch(scores, blank, logits, isa);
  require_texts(batch, texts);
  std::vector<double> out;
  {
    const GilRelease release;
    ctc::Scorer scorer;
    for_each_crop(batch, Check::all, [&](std::size_t n, ScoresView view) {
      scorer.reset(view, batch.blank, batch.isa);
      for (const ctc::Labels& text : texts[n]) out.push_back(scorer.score(text.data(), text.size()));
    });
  }
  return to_array(out);
}

}  // namespace

void register_ctc(py::module_& module) {
  module.def("ctc_log_softmax", &log_softmax, py::arg("scores"), py::arg("isa") = "auto");
  module.def("ctc_greedy", &greedy, py::arg("scores"), py::arg("blank"), py::arg("logits"),
             py::arg("isa") = "auto");
  module.def("ctc_texts", &texts, py::arg("offsets"), py::arg("labels"), py::arg("symbols"));
  module.def("ctc_beam", &beam, py::arg("scores"), py::arg("blank"), py::arg("logits"), py::arg("beam_size"),
             py::arg("nbest"), py::arg("prune"), py::arg("isa") = "auto");
  module.def("ctc_score", &score, py::arg("scores"), py::arg("texts"), py::arg("blank"), py::arg("logits"),
             py::arg("isa") = "auto");
}

}  // namespace lprfast::bindings
